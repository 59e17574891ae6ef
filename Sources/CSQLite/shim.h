#pragma once
/* SQLite, and the parts of its interface that Swift cannot import: variadic calls and casts. */
#include <sqlite3.h>

static inline sqlite3_destructor_type relay_sqlite_transient(void) { return SQLITE_TRANSIENT; }
static inline int relay_sqlite_db_config_int(sqlite3 *db, int op, int value) {
  return sqlite3_db_config(db, op, value, (int *)0);
}
static inline int relay_sqlite_config_int(int op, int value) { return sqlite3_config(op, value); }
