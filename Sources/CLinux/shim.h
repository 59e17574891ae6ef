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
#include <linux/sockios.h>

int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags);
int syncfs(int fd);

/* ioctl is variadic, which Swift does not import: the bytes the peer's TCP has not acknowledged. */
static inline int relay_unacknowledged(int fd, int *bytes) { return ioctl(fd, SIOCOUTQ, bytes); }
