#pragma once
/* The Linux calls that Swift's Glibc module leaves out. _GNU_SOURCE stays undefined here: it would
   change structs that Glibc has already defined. The GNU calls needed are declared instead. */
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/vfs.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <linux/sockios.h>

int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags);
int syncfs(int fd);
int malloc_trim(size_t pad);

/* A global variable of C's, which Swift takes for unsafe. */
extern char **environ;
static inline char **relay_environment(void) { return environ; }

/* ioctl is variadic, which Swift does not import: the bytes the peer's TCP has not acknowledged. */
static inline int relay_unacknowledged(int fd, int *bytes) {
  if (ioctl(fd, SIOCOUTQ, bytes) != 0) return -1;
  if (*bytes == 0) return 0;
  // After the peer's reset the bytes stay where they are, for ever (tcp(7), TCP_INFO).
  struct tcp_info info;
  socklen_t size = sizeof info;
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return -1;
  return info.tcpi_state == TCP_CLOSE ? -1 : 0;
}
