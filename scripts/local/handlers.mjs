/**
 * The functions whose request ids serverless-offline does not handle as the cloud does: the bundles, with other ids.
 * Plain JavaScript, since serverless-offline loads it.
 */

/** serverless-offline has one id for all HTTP requests. */
export async function http(event, context) {
  const { handler } = await import('../../dist/http.mjs');
  const { requestContext } = event;
  return handler({ ...event, requestContext: { ...requestContext, requestId: context.awsRequestId } }, context);
}

/** lambda-api.ts gives the id, so that the record of a failed call names the id that the call had. */
export async function invoke(event, context) {
  const { handler } = await import('../../dist/invoke.mjs');
  return handler(event, { ...context, awsRequestId: context.clientContext?.requestId ?? context.awsRequestId });
}
