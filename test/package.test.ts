/**
 * What a deployment would create, read from the CloudFormation template and the zips that packaging writes. One file to
 * Vitest, which gives each file a process: each of these would package for itself.
 */
import './package/packaging.ts';
import './package/deploying.ts';
import './package/functions.ts';
import './package/rights.ts';
import './package/routes.ts';
import './package/schedule-and-bus.ts';
import './package/failures.ts';
import './package/alarms.ts';
import './package/dashboard.ts';
