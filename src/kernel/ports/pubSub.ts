/**
 * Carries what is not a fact between nodes: typing, presence. At most once; nothing that matters may depend on it.
 * Subscribers on the publishing node hear it too.
 */
export interface PubSub {
  /** Resolves when handed over. Never throws for want of a connection: then nobody else hears it. */
  publish(topic: string, message: Uint8Array): Promise<void>;
  /** Calls `listener` for every message on the topic, in the order of each publisher. */
  subscribe(topic: string, listener: (message: Uint8Array) => void): Promise<Unsubscribe>;
  close(): Promise<void>;
}
export type Unsubscribe = () => Promise<void>;
