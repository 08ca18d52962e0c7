/** placeholder */
export function openApiDocument(): unknown {
  return {};
}
