/**
 * kafkajs 2.2.4 sets timers in the past while it isn't throttled (tulios/kafkajs#1751); Node.js 24 warns of each
 * process's first one. Every other warning is printed as usual.
 */
export function hideKafkaTimerWarning(): void {
  const [print] = process.listeners('warning');
  if (print === undefined) return;
  process.removeListener('warning', print);
  process.on('warning', (warning) => {
    if (warning.name !== 'TimeoutNegativeWarning') print(warning);
  });
}
