import { answerHead, requestHeadBytes, requestIn, takenFrom } from './messages.js';
import { confineSharp, pictureIn } from './sharpForms.js';

// The program of the process that reads pictures: a request on its standard input, an answer on its standard output, and so on, until
// there is no further request.
confineSharp();
const write = (bytes: Uint8Array): Promise<void> =>
  new Promise((resolve, fail) => {
    process.stdout.write(bytes, (error) => {
      if (error) fail(error);
      else resolve();
    });
  });
const take = takenFrom(process.stdin);
// Says that it is there.
await write(Buffer.of(0));
for (;;) {
  const head = await take(requestHeadBytes);
  if (head === undefined) break;
  const { form, bytes } = requestIn(head);
  const source = await take(bytes);
  if (source === undefined) break;
  const made = await pictureIn(form, source);
  await write(answerHead(made));
  if (typeof made === 'string') continue;
  await write(made.thumb);
  await write(made.bytes);
}
