// Runs once, when the database is made: the user of the nodes, for the read models and the vault alone.
const { readFileSync } = require('node:fs');

db.getSiblingDB('admin').createUser({
  user: 'osmium',
  pwd: readFileSync('/run/secrets/mongo_password', 'utf8').trim(),
  roles: ['osmium', 'osmium_vault'].map((name) => ({ role: 'readWrite', db: name })),
});
