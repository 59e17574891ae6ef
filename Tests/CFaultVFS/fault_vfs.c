#include "fault_vfs.h"

#include <pthread.h>
#include <sqlite3.h>
#include <string.h>

typedef struct {
  sqlite3_file base;
  sqlite3_file *real;
} fault_file;

static sqlite3_vfs fault;
static sqlite3_vfs *host;

static _Thread_local struct {
  int mask, code, stays;
  long nth, count, fired;
} armed;

void fault_arm(int mask, long nth, int code, int stays) {
  armed.mask = mask;
  armed.nth = nth;
  armed.code = code;
  armed.stays = stays;
  armed.count = 0;
  armed.fired = 0;
}

long fault_count(void) { return armed.count; }
long fault_fired(void) { return armed.fired; }

static int strikes(int operation) {
  if (!(armed.mask & operation)) return 0;
  armed.count++;
  if (armed.nth == 0) return 0;
  if (armed.count != armed.nth && !(armed.stays && armed.count > armed.nth)) return 0;
  armed.fired++;
  return 1;
}

static sqlite3_file *real(sqlite3_file *file) { return ((fault_file *)file)->real; }

static int fault_close(sqlite3_file *file) { return real(file)->pMethods->xClose(real(file)); }
static int fault_read(sqlite3_file *file, void *to, int count, sqlite3_int64 offset) {
  return real(file)->pMethods->xRead(real(file), to, count, offset);
}
static int fault_write(sqlite3_file *file, const void *from, int count, sqlite3_int64 offset) {
  if (strikes(FAULT_WRITE)) {
    real(file)->pMethods->xWrite(real(file), from, count / 2, offset);
    return armed.code;
  }
  return real(file)->pMethods->xWrite(real(file), from, count, offset);
}
static int fault_truncate(sqlite3_file *file, sqlite3_int64 size) {
  if (strikes(FAULT_TRUNCATE)) return armed.code;
  return real(file)->pMethods->xTruncate(real(file), size);
}
static int fault_sync(sqlite3_file *file, int flags) {
  if (strikes(FAULT_SYNC)) return armed.code;
  return real(file)->pMethods->xSync(real(file), flags);
}
static int fault_size(sqlite3_file *file, sqlite3_int64 *size) {
  return real(file)->pMethods->xFileSize(real(file), size);
}
static int fault_lock(sqlite3_file *file, int level) {
  return real(file)->pMethods->xLock(real(file), level);
}
static int fault_unlock(sqlite3_file *file, int level) {
  return real(file)->pMethods->xUnlock(real(file), level);
}
static int fault_reserved(sqlite3_file *file, int *held) {
  return real(file)->pMethods->xCheckReservedLock(real(file), held);
}
static int fault_control(sqlite3_file *file, int operation, void *argument) {
  return real(file)->pMethods->xFileControl(real(file), operation, argument);
}
static int fault_sector(sqlite3_file *file) {
  return real(file)->pMethods->xSectorSize(real(file));
}
static int fault_traits(sqlite3_file *file) {
  return real(file)->pMethods->xDeviceCharacteristics(real(file));
}

/* Version 1: without shared memory, so that a connection which is not EXCLUSIVE cannot use WAL. */
static const sqlite3_io_methods methods = {
    1,          fault_close, fault_read,   fault_write,    fault_truncate, fault_sync,   fault_size,
    fault_lock, fault_unlock, fault_reserved, fault_control, fault_sector,  fault_traits};

static int fault_open(
    sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out) {
  (void)vfs;
  fault_file *opened = (fault_file *)file;
  memset(opened, 0, sizeof *opened);
  if (strikes(FAULT_OPEN)) return armed.code;
  opened->real = (sqlite3_file *)&opened[1];
  int code = host->xOpen(host, name, opened->real, flags, out);
  if (opened->real->pMethods) opened->base.pMethods = &methods;
  return code;
}

static void start(void) {
  host = sqlite3_vfs_find(0);
  fault = *host;
  fault.zName = "fault";
  fault.szOsFile = (int)sizeof(fault_file) + host->szOsFile;
  fault.xOpen = fault_open;
  sqlite3_vfs_register(&fault, 0);
}

int fault_register(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  return pthread_once(&once, start);
}
