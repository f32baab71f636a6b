import tseslint from 'typescript-eslint';

const typescript = ['src/**/*.ts', 'test/**/*.ts', 'bench/**/*.ts'];
const javascript = ['**/*.js', '**/*.mjs', '**/*.cjs'];

const linesPerFunctionMax = 60;
const parametersMax = 4;

/** What ESLint itself finds wrong in any JavaScript. TypeScript's own checks stand in for the rest of them. */
const soundness = Object.fromEntries(
  [
    'array-callback-return',
    'constructor-super',
    'eqeqeq',
    'for-direction',
    'no-async-promise-executor',
    'no-cond-assign',
    'no-constant-binary-expression',
    'no-control-regex',
    'no-debugger',
    'no-duplicate-case',
    'no-empty',
    'no-empty-character-class',
    'no-fallthrough',
    'no-irregular-whitespace',
    'no-lone-blocks',
    'no-loss-of-precision',
    'no-misleading-character-class',
    'no-param-reassign',
    'no-self-assign',
    'no-self-compare',
    'no-sparse-arrays',
    'no-template-curly-in-string',
    'no-unreachable',
    'no-unsafe-finally',
    'no-useless-assignment',
    'no-useless-backreference',
    'no-useless-catch',
    'no-useless-escape',
    'no-useless-rename',
    'no-useless-return',
    'no-var',
    'object-shorthand',
    'prefer-const',
    'prefer-object-has-own',
    'preserve-caught-error',
    'use-isnan',
    'valid-typeof',
  ].map((rule) => [rule, 'error']),
);

const size = {
  'max-lines-per-function': ['error', { max: linesPerFunctionMax, skipBlankLines: true, skipComments: true }],
  'max-params': ['error', parametersMax],
};

/** A parameter of a function, of a method in an interface or of a function type. */
const parameters = ':matches(:function, TSMethodSignature, TSFunctionType, TSEmptyBodyFunctionExpression) > *.params';
const flagMessage = 'A flag at a call says nothing. Make two functions, or take a named field of an object.';

const shapes = [
  { selector: 'TSEnumDeclaration', message: 'Use a union of literals, or a frozen table.' },
  { selector: 'TSParameterProperty', message: 'Declare the field and assign it.' },
  {
    selector: 'ExportDefaultDeclaration, ExportSpecifier[exported.name="default"]',
    message: 'Export it by its name.',
  },
  { selector: 'ExportAllDeclaration', message: 'Import from the file that has the thing.' },
];

const flags = [
  { selector: `${parameters}[typeAnnotation.typeAnnotation.type="TSBooleanKeyword"]`, message: flagMessage },
  { selector: `${parameters}[left][right.raw=/^(true|false)$/]`, message: flagMessage },
];

const normalising = {
  selector: 'CallExpression[callee.property.name="normalize"]',
  message: 'Normalising takes time with the square of some texts. `composed` of src/kernel/text.ts has a bound.',
};

const parsingUrls = ['NewExpression[callee.name="URL"]', 'MemberExpression[object.name="URL"]'].map((selector) => ({
  selector,
  message:
    'Parsing takes time with the square of some hosts. `linkFault` of links.ts and `authorityOf` of origins.ts have bounds.',
}));

const hashingPasswords = [
  'ImportDeclaration[source.value="@node-rs/argon2"]',
  'ImportExpression[source.value="@node-rs/argon2"]',
  'ImportDeclaration[source.value=/^(node:)?crypto$/] > ImportSpecifier[imported.name=/^(scrypt|pbkdf2|argon2)/]',
].map((selector) => ({
  selector,
  message:
    'Hashing a password takes a thread and 19 MiB. `argon2Hasher` of src/adapters/system/argon2.ts has the bounds.',
}));

const askingTheHasher = {
  selector:
    'MemberExpression[property.name=/^(hash|verify)$/][object.name="hasher"], MemberExpression[property.name=/^(hash|verify)$/] > MemberExpression.object[property.name="hasher"]',
  message: 'Each try of a password is counted. `SignInGuard` of src/gateway/contract/signInGuard.ts gives the hashing.',
};

const quotingJson = {
  selector: 'MemberExpression[object.name="JSON"][property.name="parse"]',
  message:
    'Its errors quote the text, which may be personal. `parsedJson` of src/kernel/json.ts says the length alone.',
};

/** Everywhere in src, besides the shapes. */
const costs = [normalising, ...hashingPasswords, quotingJson];

/** What scripts use of Node's globals; the rest they import. */
const scriptGlobals = Object.fromEntries(
  [
    'AbortSignal',
    'console',
    'process',
    'URL',
    'performance',
    'setTimeout',
    'clearTimeout',
    'TextEncoder',
    'TextDecoder',
  ].map((name) => [name, 'readonly']),
);

export default tseslint.config(
  { ignores: ['dist/', 'src/gen/', 'node_modules/', 'data/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: typescript,
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      ...soundness,
      ...size,
      'no-restricted-syntax': ['error', ...shapes, ...flags],
      // Data is `type`, ports are `interface`: the difference carries a meaning that this rule would take away.
      '@typescript-eslint/consistent-type-definitions': 'off',
      // It wants `!` in the place of a cast, and `!` is refused.
      '@typescript-eslint/non-nullable-type-assertion-style': 'off',
      // `() => act()` where a callback gives nothing back reads well enough.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // Overloads with a comment each say more than one that has a union.
      '@typescript-eslint/unified-signatures': 'off',
      // Taking the first item of something that can only be iterated is a loop of one turn.
      'no-unreachable-loop': ['error', { ignore: ['ForOfStatement'] }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      // Ports and tables are passed around by the method: `this: void` says that this is safe.
      '@typescript-eslint/no-invalid-void-type': [
        'error',
        { allowAsThisParameter: true, allowInGenericTypeArguments: true },
      ],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { args: 'after-used', ignoreRestSiblings: true }],
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        {
          allowAny: false,
          allowBoolean: false,
          allowNever: false,
          allowNullish: false,
          allowNumber: false,
          allowRegExp: false,
        },
      ],
    },
  },
  // Each of these lists takes the place of the one before it.
  {
    files: ['src/**/*.ts'],
    ignores: ['src/kernel/text.ts', 'src/kernel/json.ts', 'src/adapters/system/argon2Thread.ts'],
    rules: { 'no-restricted-syntax': ['error', ...shapes, ...flags, ...costs] },
  },
  {
    files: ['src/kernel/text.ts'],
    rules: { 'no-restricted-syntax': ['error', ...shapes, ...flags, ...hashingPasswords, quotingJson] },
  },
  {
    files: ['src/adapters/system/argon2Thread.ts'],
    rules: { 'no-restricted-syntax': ['error', ...shapes, ...flags, normalising, quotingJson] },
  },
  {
    files: ['src/gateway/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', ...shapes, ...flags, ...costs, askingTheHasher, ...parsingUrls] },
  },
  {
    files: ['src/gateway/rendering/links.ts', 'src/gateway/sockets/origins.ts'],
    rules: { 'no-restricted-syntax': ['error', ...shapes, ...flags, ...costs, askingTheHasher] },
  },
  {
    files: ['src/gateway/requests/signInGuard.ts'],
    rules: { 'no-restricted-syntax': ['error', ...shapes, ...flags, ...costs, ...parsingUrls] },
  },
  {
    // The codec writes booleans because the wire has them: there the parameter is the value, not a flag.
    files: ['src/wire/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', ...shapes, ...costs] },
  },
  {
    // An engine that answers at once still keeps the port's promise, and what it throws is then a rejection.
    files: ['src/adapters/**/*.ts'],
    rules: { '@typescript-eslint/require-await': 'off' },
  },
  {
    files: ['test/**/*.ts', 'bench/**/*.ts'],
    rules: {
      // The callback of describe() holds a whole file. tidy.spec measures tests, because it can tell the two apart.
      'max-lines-per-function': 'off',
      // A helper in a test is read together with its only callers.
      '@typescript-eslint/explicit-module-boundary-types': 'off',
      // A stub has the shape of its port: async without waiting, and methods that do nothing.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-empty-function': 'off',
      // What a helper returns is taken apart where it is used; it is made of closures, not of methods.
      '@typescript-eslint/unbound-method': 'off',
      // Clients in the field use the deprecated fields, so they are tested.
      '@typescript-eslint/no-deprecated': 'off',
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            { from: 'package', package: 'node:test', name: ['test', 'it', 'describe', 'suite', 'before', 'after'] },
          ],
        },
      ],
    },
  },
  {
    files: javascript,
    languageOptions: { ecmaVersion: 2024, sourceType: 'module', globals: scriptGlobals },
    rules: { ...soundness, ...size, 'no-undef': 'error', 'no-unused-vars': 'error' },
  },
  {
    // Run by mongosh.
    files: ['deploy/mongo-*.js'],
    languageOptions: {
      sourceType: 'commonjs',
      globals: { connect: 'readonly', db: 'readonly', quit: 'readonly', require: 'readonly' },
    },
  },
  {
    files: ['**/*.cjs'],
    languageOptions: { sourceType: 'commonjs', globals: { module: 'writable', require: 'readonly' } },
  },
);
