/* A disk that refuses: fails the n-th change of files below some folders, for tests.
 *
 * Preloaded into a process (LD_PRELOAD), it counts calls that need room on a disk: opening for
 * writing, writing, resizing, renaming, making folders. `faults_arm` says from which of them on,
 * or which one alone, is refused. Removing is never refused, as on a full disk.
 * FAULTS_CLOCK_OFFSET_S shifts the wall clock.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define FILES 65536
static char folders[16][PATH_MAX];
static int folder_count;
static atomic_long changes;
static long refused_from, refused_to;
static int refusal;
static char watched[FILES];

void faults_arm(const char *below, long from, long to, int error) {
    folder_count = 0;
    while (*below && folder_count < 16) {
        size_t length = strcspn(below, ":");
        snprintf(folders[folder_count++], PATH_MAX, "%.*s/", (int)length, below);
        below += length + (below[length] == ':');
    }
    refused_from = from;
    refused_to = to;
    refusal = error;
    atomic_store(&changes, 0);
}

long faults_changes(void) { return atomic_load(&changes); }

static int is_below(const char *path) {
    for (int i = 0; path && i < folder_count; i++)
        if (!strncmp(path, folders[i], strlen(folders[i])))
            return 1;
    return 0;
}

static int is_refused(void) {
    long number = atomic_fetch_add(&changes, 1) + 1;
    if (number < refused_from || number > refused_to)
        return 0;
    errno = refusal;
    return 1;
}

static int path_refused(const char *path) { return is_below(path) && is_refused(); }
static int file_refused(int file) {
    return file >= 0 && file < FILES && watched[file] && is_refused();
}

#define REAL(name) (__typeof__(&name))dlsym(RTLD_NEXT, #name)

static int opened(int file, const char *path, int flags) {
    if (file >= 0 && file < FILES)
        watched[file] = (flags & O_ACCMODE) != O_RDONLY && is_below(path);
    return file;
}

static int open_refused(const char *path, int flags) {
    int makes = flags & (O_CREAT | O_TRUNC) || (flags & O_TMPFILE) == O_TMPFILE;
    if (!makes)
        return 0;
    if ((flags & O_TMPFILE) == O_TMPFILE) { /* names the folder itself */
        char folder[PATH_MAX];
        snprintf(folder, sizeof folder, "%s/", path);
        return path_refused(folder);
    }
    return path_refused(path);
}

#define OPEN(name)                                                                              \
    int name(const char *path, int flags, ...) {                                                \
        va_list more;                                                                           \
        va_start(more, flags);                                                                  \
        mode_t mode = va_arg(more, mode_t);                                                     \
        va_end(more);                                                                           \
        if (open_refused(path, flags))                                                          \
            return -1;                                                                          \
        return opened((REAL(name))(path, flags, mode), path, flags);                            \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                                            \
    int name(int folder, const char *path, int flags, ...) {                                    \
        va_list more;                                                                           \
        va_start(more, flags);                                                                  \
        mode_t mode = va_arg(more, mode_t);                                                     \
        va_end(more);                                                                           \
        if (open_refused(path, flags))                                                          \
            return -1;                                                                          \
        return opened((REAL(name))(folder, path, flags, mode), path, flags);                    \
    }
OPENAT(openat)
OPENAT(openat64)

int close(int file) {
    if (file >= 0 && file < FILES)
        watched[file] = 0;
    return (REAL(close))(file);
}

ssize_t write(int file, const void *data, size_t size) {
    return file_refused(file) ? -1 : (REAL(write))(file, data, size);
}
ssize_t pwrite(int file, const void *data, size_t size, off_t at) {
    return file_refused(file) ? -1 : (REAL(pwrite))(file, data, size, at);
}
ssize_t pwrite64(int file, const void *data, size_t size, off64_t at) {
    return file_refused(file) ? -1 : (REAL(pwrite64))(file, data, size, at);
}
ssize_t writev(int file, const struct iovec *parts, int count) {
    return file_refused(file) ? -1 : (REAL(writev))(file, parts, count);
}
int ftruncate(int file, off_t size) {
    return file_refused(file) ? -1 : (REAL(ftruncate))(file, size);
}
int ftruncate64(int file, off64_t size) {
    return file_refused(file) ? -1 : (REAL(ftruncate64))(file, size);
}
int fsync(int file) { return file_refused(file) ? -1 : (REAL(fsync))(file); }
int mkdir(const char *path, mode_t mode) {
    return path_refused(path) ? -1 : (REAL(mkdir))(path, mode);
}
int rename(const char *from, const char *to) {
    return path_refused(to) ? -1 : (REAL(rename))(from, to);
}

static long clock_offset_s(void) {
    const char *given = getenv("FAULTS_CLOCK_OFFSET_S");
    return given ? atol(given) : 0;
}
int clock_gettime(clockid_t clock, struct timespec *at) {
    int failed = (REAL(clock_gettime))(clock, at);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        at->tv_sec += clock_offset_s();
    return failed;
}
int gettimeofday(struct timeval *restrict at, void *restrict zone) {
    int failed = (REAL(gettimeofday))(at, zone);
    if (!failed)
        at->tv_sec += clock_offset_s();
    return failed;
}
time_t time(time_t *at) {
    time_t now = (REAL(time))(NULL) + clock_offset_s();
    if (at)
        *at = now;
    return now;
}
