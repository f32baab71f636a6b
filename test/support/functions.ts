import ts from 'typescript';
import { linesOf, walk, type Source } from './sources.js';

export const isWritten = (node: ts.Node): node is ts.FunctionLikeDeclaration =>
  ts.isFunctionLike(node) && 'body' in node && node.body !== undefined;

/** The function's lines without those of the tests that are registered in it: they are functions of their own. */
export const ownLinesOf = (source: Source, fn: ts.Node): number => {
  const tests = [...walk(fn)].filter((node) => node !== fn && isTestCallback(node));
  const outermost = tests.filter((node) => !tests.some((other) => other !== node && contains(other, node)));
  return linesOf(source, fn) - outermost.reduce((sum, node) => sum + linesOf(source, node), 0);
};

/** A declared `this` is no parameter. */
export const parametersOf = (fn: ts.SignatureDeclaration): readonly ts.ParameterDeclaration[] =>
  fn.parameters.filter(({ name }) => name.getText() !== 'this');

export const isBoolean = ({ type, initializer }: ts.ParameterDeclaration): boolean =>
  /(^|\|)\s*boolean\s*($|\|)/.test(type?.getText() ?? '') || /^(true|false)$/.test(initializer?.getText() ?? '');

/** Exported functions, and what exported classes and interfaces let others call. */
export const exportedFunctionsOf = (tree: ts.SourceFile): readonly ts.SignatureDeclaration[] =>
  tree.statements
    .filter(isExported)
    .flatMap((statement): readonly ts.Node[] => {
      if (ts.isClassDeclaration(statement) || ts.isInterfaceDeclaration(statement)) return statement.members;
      if (!ts.isVariableStatement(statement)) return [statement];
      return statement.declarationList.declarations.flatMap(({ initializer }) => initializer ?? []);
    })
    .filter(ts.isFunctionLike);

/** Names of the types, interfaces and classes that a file exports. */
export const exportedTypesOf = (tree: ts.SourceFile): readonly string[] =>
  tree.statements
    .filter(
      (statement) =>
        ts.isTypeAliasDeclaration(statement) ||
        ts.isInterfaceDeclaration(statement) ||
        ts.isClassDeclaration(statement),
    )
    .filter(isExported)
    .flatMap(({ name }) => name?.text ?? []);

const isExported = (statement: ts.Statement): boolean =>
  ts.canHaveModifiers(statement) &&
  ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) === true;

const isTestCallback = (node: ts.Node): boolean =>
  isWritten(node) &&
  ts.isCallExpression(node.parent) &&
  /^(describe|it|test|suite)\b/.test(node.parent.expression.getText());

const contains = (outer: ts.Node, inner: ts.Node): boolean => outer.pos <= inner.pos && inner.end <= outer.end;
