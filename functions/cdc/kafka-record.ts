/**
 * One Kafka record as an EventBridge pipe hands it to its enrichment: the event is a bare array of these
 * (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-msk.html).
 */
export type PipeKafkaRecord = {
  eventSource: string;
  eventSourceArn: string;
  eventSourceKey: string;
  topic: string;
  /** A number or its text, both are seen. */
  partition: number | string;
  offset: number | string;
  /** Milliseconds since 1970. */
  timestamp: number | string;
  timestampType: string;
  /** base64; null or absent without a key. */
  key?: string | null;
  /** base64; null or absent in a tombstone. */
  value?: string | null;
  /** One object a header: its name and its bytes. */
  headers?: KafkaHeader[] | null;
};

export type KafkaHeader = Record<string, number[]>;
