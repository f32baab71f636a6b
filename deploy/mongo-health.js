// Asks the server that runs here whether it is the primary of its set, and makes that set the first time.
const { readFileSync } = require('node:fs');

const admin = connect('mongodb://127.0.0.1:27017/admin?directConnection=true');
const isPrimary = () => admin.hello().isWritablePrimary;

// It can be asked without signing in, so the password is used at the start alone.
if (!isPrimary()) {
  admin.auth('root', readFileSync('/run/secrets/mongo_root_password', 'utf8').trim());
  try {
    admin.adminCommand({ replSetGetStatus: 1 });
  } catch {
    const config = { _id: 'rs0', members: [{ _id: 0, host: 'documents:27017' }] };
    admin.adminCommand({ replSetInitiate: config });
  }
}
quit(isPrimary() ? 0 : 1);
