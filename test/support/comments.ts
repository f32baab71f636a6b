import ts from 'typescript';
import { walk, type Source } from './sources.js';

export type Comment = { readonly line: number; readonly text: string };

/** The comments of a file, without their marks; lines that follow each other are one comment. */
export const commentsOf = ({ tree }: Source): readonly Comment[] => {
  const ranges = new Map<number, ts.CommentRange>();
  for (const node of walk(tree)) {
    const around = [ts.getLeadingCommentRanges(tree.text, node.pos), ts.getTrailingCommentRanges(tree.text, node.end)];
    for (const range of around.flatMap((found) => found ?? [])) ranges.set(range.pos, range);
  }
  const comments: Comment[] = [];
  let lineAfter = -1;
  for (const { pos, end } of [...ranges.values()].sort((one, other) => one.pos - other.pos)) {
    const line = tree.getLineAndCharacterOfPosition(pos).line + 1;
    const text = wordsOf(tree.text.slice(pos, end));
    const before = comments.at(-1);
    if (before !== undefined && line === lineAfter && hasLineOfItsOwn(tree.text, pos)) {
      comments[comments.length - 1] = { line: before.line, text: `${before.text} ${text}` };
    } else comments.push({ line, text });
    lineAfter = tree.getLineAndCharacterOfPosition(end).line + 2;
  }
  return comments;
};

const hasLineOfItsOwn = (text: string, pos: number): boolean =>
  text.slice(text.lastIndexOf('\n', pos - 1) + 1, pos).trim() === '';

const wordsOf = (comment: string): string =>
  comment
    .split('\n')
    .map((line) => line.replace(/^\s*(\/\*\*?|\/\/|\*(?!\/))?\s?/, '').replace(/\s*\*\/$/, ''))
    .join(' ')
    .trim();
