import { clearScreenDown, createInterface, cursorTo, moveCursor, type Interface } from 'node:readline';

/** Lines in and lines out. On a terminal what comes out does not disturb what is being typed. */
export interface Terminal {
  /** Every line from the beginning, until the input ends or is interrupted. */
  readonly lines: AsyncIterable<string>;
  say(this: void, line: string): void;
  /** Takes the line that was typed last off the screen, because its outcome will be shown. */
  takeBack(this: void, line: string): void;
  close(this: void): void;
}

export type TerminalNeeds = {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
  readonly onInterrupt: () => void;
};

const prompt = '> ';
/** Where a terminal does not know how wide it is. */
const usualColumns = 80;

export const terminal = (needs: TerminalNeeds): Terminal => (needs.output.isTTY === true ? live(needs) : plain(needs));

const plain = ({ input, output }: TerminalNeeds): Terminal => {
  const lines = createInterface({ input });
  return {
    lines: linesOf(lines),
    say: (line) => void output.write(`${line}\n`),
    takeBack: () => undefined,
    close: () => {
      lines.close();
    },
  };
};

const live = ({ input, output, onInterrupt }: TerminalNeeds): Terminal => {
  const lines = createInterface({ input, output, prompt });
  lines.on('SIGINT', () => {
    lines.close();
    onInterrupt();
  });
  lines.prompt();
  let isOpen = true;
  lines.on('close', () => {
    isOpen = false;
  });
  return {
    lines: linesOf(lines),
    say: (line) => {
      clearFrom(output, lines.getCursorPos().rows);
      output.write(`${line}\n`);
      if (isOpen) lines.prompt(true);
    },
    takeBack: (line) => {
      // Counted in code units, so that what is wide may leave a rest on the screen.
      clearFrom(output, Math.ceil((prompt.length + line.length + 1) / columnsOf(output)));
      if (isOpen) lines.prompt(true);
    },
    close: () => {
      lines.close();
    },
  };
};

// Some say that they have none.
const columnsOf = ({ columns = 0 }: TerminalNeeds['output']): number => (columns > 0 ? columns : usualColumns);

const clearFrom = (output: NodeJS.WritableStream, rowsUp: number): void => {
  moveCursor(output, 0, -rowsUp);
  cursorTo(output, 0);
  clearScreenDown(output);
};

// Asked for at once, and not when the first line is wanted: those that come before would be lost.
const linesOf = (lines: Interface): AsyncIterable<string> => {
  const iterator = lines[Symbol.asyncIterator]();
  return { [Symbol.asyncIterator]: () => iterator };
};
