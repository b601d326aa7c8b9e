/** A module that takes longer to load than its function may run. */
await new Promise((resolve) => setTimeout(resolve, 2_500));

export const handler = async () => 'loaded';
