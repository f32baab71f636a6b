/** Takes chunks and gives whole lines without their ends; `'too long'` once a line has more bytes than `bytesMax`. */
export const lineReader = (bytesMax: number): ((chunk: Buffer) => readonly string[] | 'too long') => {
  let held: Buffer[] = [];
  let heldBytes = 0;
  return (chunk) => {
    const lines: string[] = [];
    let rest = chunk;
    for (let end = rest.indexOf(newline); end >= 0; end = rest.indexOf(newline)) {
      if (heldBytes + end + 1 > bytesMax) return 'too long';
      lines.push(Buffer.concat([...held, rest.subarray(0, end)]).toString('utf8'));
      [held, heldBytes, rest] = [[], 0, rest.subarray(end + 1)];
    }
    heldBytes += rest.length;
    if (heldBytes >= bytesMax) return 'too long';
    if (rest.length > 0) held.push(rest);
    return lines;
  };
};

const newline = 0x0a;
