/* A GPIO chip in front of the kernel: the v2 calls of linux/gpio.h on one path, for one process.

   Each new value of the line is a line of the file GPIO_LOG. GPIO_BUSY: the line is taken. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/gpio.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static const char *CHIP = "/dev/gpiochip0";
static int chip = -1, line = -1, active_low = 0;

static int is_chip(const char *path) { return path && strcmp(path, CHIP) == 0; }

static void note(const char *what, int value) {
    FILE *log = fopen(getenv("GPIO_LOG"), "a");
    fprintf(log, "%s %d\n", what, value);
    fclose(log);
}

static int opened(void) { return open("/dev/null", O_RDWR | O_CLOEXEC); }

int open(const char *path, int flags, ...) {
    static int (*real)(const char *, int, ...);
    if (!real) real = dlsym(RTLD_NEXT, "open");
    va_list more;
    va_start(more, flags);
    mode_t mode = va_arg(more, int);
    va_end(more);
    if (is_chip(path)) return chip = real("/dev/null", O_RDWR | O_CLOEXEC);
    return real(path, flags, mode);
}

static int found(const char *path, struct stat *facts) {
    if (!is_chip(path)) return 0;
    memset(facts, 0, sizeof *facts);
    facts->st_mode = S_IFCHR | 0660;
    facts->st_rdev = makedev(254, 0);
    return 1;
}

static int look(const char *path, struct stat *facts, int flags) {
    return found(path, facts) ? 0 : fstatat(AT_FDCWD, path, facts, flags);
}

int lstat(const char *path, struct stat *facts) { return look(path, facts, AT_SYMLINK_NOFOLLOW); }

int stat(const char *path, struct stat *facts) { return look(path, facts, 0); }

/* Names of the same calls in wheels for older C libraries. */
int __lxstat(int version, const char *path, struct stat *facts) {
    (void)version;
    return look(path, facts, AT_SYMLINK_NOFOLLOW);
}

int __xstat(int version, const char *path, struct stat *facts) {
    (void)version;
    return look(path, facts, 0);
}

char *realpath(const char *path, char *place) {
    static char *(*real)(const char *, char *);
    if (!real) real = dlsym(RTLD_NEXT, "realpath");
    const char *answer = is_chip(path) ? CHIP : NULL;
    if (strcmp(path, "/sys/dev/char/254:0/subsystem") == 0) answer = "/sys/bus/gpio";
    if (!answer) return real(path, place);
    return place ? strcpy(place, answer) : strdup(answer);
}

int ioctl(int file, unsigned long request, ...) {
    static int (*real)(int, unsigned long, ...);
    if (!real) real = dlsym(RTLD_NEXT, "ioctl");
    va_list more;
    va_start(more, request);
    void *given = va_arg(more, void *);
    va_end(more);
    request = (unsigned int)request; /* some callers extend its sign, which the kernel cuts off */
    if (file == chip && request == GPIO_GET_CHIPINFO_IOCTL) {
        struct gpiochip_info *info = given;
        memset(info, 0, sizeof *info);
        strcpy(info->name, "gpiochip0");
        strcpy(info->label, "played");
        info->lines = 32;
        return 0;
    }
    if (file == chip && request == GPIO_V2_GET_LINEINFO_IOCTL) {
        struct gpio_v2_line_info *info = given;
        __u32 offset = info->offset;
        memset(info, 0, sizeof *info);
        info->offset = offset;
        info->flags = GPIO_V2_LINE_FLAG_INPUT;
        if (offset == 17) strcpy(info->name, "LAMP");
        return 0;
    }
    if (file == chip && request == GPIO_V2_GET_LINE_IOCTL) {
        struct gpio_v2_line_request *wanted = given;
        if (getenv("GPIO_BUSY")) return errno = EBUSY, -1;
        if (wanted->num_lines != 1 || wanted->offsets[0] != 17) return errno = EINVAL, -1;
        if (!(wanted->config.flags & GPIO_V2_LINE_FLAG_OUTPUT)) return errno = EINVAL, -1;
        active_low = (wanted->config.flags & GPIO_V2_LINE_FLAG_ACTIVE_LOW) != 0;
        note(wanted->consumer, active_low);
        wanted->fd = line = opened();
        return 0;
    }
    if (file == line && request == GPIO_V2_LINE_SET_VALUES_IOCTL) {
        struct gpio_v2_line_values *values = given;
        if (values->mask != 1) return errno = EINVAL, -1;
        note("volts", (int)(values->bits & 1) != active_low);
        return 0;
    }
    return real(file, request, given);
}
