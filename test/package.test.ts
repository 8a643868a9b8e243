/**
 * Tests what a deployment creates, by the CloudFormation template and the zips that packaging writes. They are one file
 * for Vitest, which runs each file in a process of its own: each would package again.
 */
import './package/packaging.ts';
import './package/deploying.ts';
import './package/functions.ts';
import './package/rights.ts';
import './package/routes.ts';
import './package/schedule-and-bus.ts';
import './package/failures.ts';
import './package/metrics.ts';
import './package/alarms.ts';
import './package/dashboard.ts';
