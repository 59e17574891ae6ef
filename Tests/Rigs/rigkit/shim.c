// An LD_PRELOAD library that swallows, fails and counts the calls that make writes durable.
//
// Its state is a file, mapped by the relay and by the rig (shim.py), so that a rig can arm it while
// the relay runs. RIG_SHIM names the file.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

// The order is that of FIELDS in shim.py.
struct state {
  _Atomic int64_t swallow;      // 1: the syncs return 0 without acting
  _Atomic int64_t fail_kind;    // a bit for each call that may fail: 1 << kind
  _Atomic int64_t fail_after;   // the n-th such call fails; 0: none does
  _Atomic int64_t fail_errno;
  _Atomic int64_t calls[4];     // by kind
  _Atomic int64_t failed;       // how many calls were made to fail
  _Atomic int64_t failed_at;    // CLOCK_MONOTONIC, nanoseconds
  _Atomic int64_t later;        // writes to database files 100 ms after the failure
  _Atomic int64_t later_syncs;  // syncs after the failure
  _Atomic int64_t slow;         // microseconds that each sync takes longer
};
enum kind { FDATASYNC, SYNCFS, FSYNC, WRITE };

static struct state nowhere;
static struct state *state = &nowhere;

__attribute__((constructor)) static void map(void) {
  const char *path = getenv("RIG_SHIM");
  int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
  if (file < 0) return;
  void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (at != MAP_FAILED) state = at;
}

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static int fails(enum kind kind) {
  state->calls[kind]++;
  if (state->failed && kind != WRITE) state->later_syncs++;
  if (!(state->fail_kind & (1 << kind)) || state->fail_after <= 0) return 0;
  if (--state->fail_after != 0) return 0;
  state->failed_at = now();
  state->failed++;
  return 1;
}

static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

#define SYNC(name, kind)                            \
  int name(int file) {                              \
    if (fails(kind)) {                              \
      errno = (int)state->fail_errno;               \
      return -1;                                    \
    }                                               \
    if (state->swallow) return 0;                   \
    if (state->slow) usleep((useconds_t)state->slow); \
    static int (*call)(int);                        \
    if (!call) call = (int (*)(int))real(#name);    \
    return call(file);                              \
  }
SYNC(fdatasync, FDATASYNC)
SYNC(syncfs, SYNCFS)
SYNC(fsync, FSYNC)

// Only the files of SQLite count: the log and the sockets go on.
static int is_database(int file) {
  char link[64], path[512];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0) return 0;
  path[length] = 0;
  return strstr(path, ".db") != NULL;
}

static ssize_t write_at(const char *name, int file, const void *bytes, size_t count, off_t at) {
  if ((state->failed || state->fail_kind & (1 << WRITE)) && is_database(file)) {
    if (state->failed && now() - state->failed_at > 100000000) state->later++;
    if (fails(WRITE)) {
      errno = (int)state->fail_errno;
      return -1;
    }
  }
  ssize_t (*call)(int, const void *, size_t, off_t) =
      (ssize_t(*)(int, const void *, size_t, off_t))real(name);
  return call(file, bytes, count, at);
}

ssize_t pwrite(int file, const void *bytes, size_t count, off_t at) {
  return write_at("pwrite", file, bytes, count, at);
}
ssize_t pwrite64(int file, const void *bytes, size_t count, off_t at) {
  return write_at("pwrite64", file, bytes, count, at);
}
