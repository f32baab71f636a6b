/** Every WebSocket close code that the server sends. docs/errors.md is held to this table by a test. */
export const closeCode = {
  /** Nothing came for longer than the idle timeout, or no valid request in time, or no session was joined in time. */
  goingAway: 1001,
  /** Sent by the WebSocket library: the bytes are not the WebSocket protocol. */
  protocolError: 1002,
  /** A text frame: the protocol is binary. */
  unsupported: 1003,
  /**
   * The token was refused, or the session was revoked, or the client was refused too often because its budgets were
   * spent; sent by the WebSocket library, a message came in too many pieces.
   */
  policyViolation: 1008,
  /** Sent by the WebSocket library: a message is larger than the server takes from this connection. */
  tooBig: 1009,
  /** The server stops or restarts: come back. */
  restart: 1012,
  /**
   * The client does not read, or it was not let in for now, or a newer connection needed the place, or its unfinished
   * message the memory: come back later.
   */
  tryAgainLater: 1013,
} as const;
