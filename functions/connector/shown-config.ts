/** A connector's configuration for people: without its password and without the placeholder, which is a secret, too. */
export function shownConfig(config: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(config)
      .filter(([setting]) => !/password|placeholder/.test(setting))
      .sort(),
  );
}
