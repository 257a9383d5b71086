/* The program at the front of the AppImage: it unpacks what follows it once, and starts it.
 *
 * It does not mount the image. Servers that the studio starts outlive the command that started
 * them, environments of backends refer to its Python, and workers run in containers: each needs a
 * place that stays. Unpacked, it also needs no FUSE, which servers and containers seldom have.
 *
 * The last 16 bytes of the file name its content; the folder in the cache is called after them.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <squashfuse.h>

enum { CHUNK = 1 << 20, NAME_BYTES = 16, FAILED = 1 };

static char own_path[PATH_MAX];

/* Formats that the images of this studio do not have; their libraries are left out. */
int LZ4_decompress_safe(const char *in, char *out, int size, int most) {
    (void)in, (void)out, (void)size, (void)most;
    return -1;
}
int lzo1x_decompress_safe(const unsigned char *in, size_t size, unsigned char *out, size_t *most,
                          void *memory) {
    (void)in, (void)size, (void)out, (void)most, (void)memory;
    return -1;
}

static void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("Edgewright: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(FAILED);
}

/* Where the program ends and the image begins: behind the table of sections. */
static size_t image_offset(int file) {
    Elf64_Ehdr header;
    if (pread(file, &header, sizeof header, 0) != sizeof header)
        fail("%s cannot be read: %s.", own_path, strerror(errno));
    return header.e_shoff + (size_t)header.e_shentsize * header.e_shnum;
}

static void content_name(int file, char *name) {
    unsigned char bytes[NAME_BYTES];
    off_t end = lseek(file, 0, SEEK_END);
    if (pread(file, bytes, sizeof bytes, end - NAME_BYTES) != NAME_BYTES)
        fail("%s cannot be read: %s.", own_path, strerror(errno));
    for (int i = 0; i < NAME_BYTES; i++)
        sprintf(name + 2 * i, "%02x", bytes[i]);
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *walk) {
    (void)about, (void)kind, (void)walk;
    return remove(path);
}

static void remove_tree(const char *folder) { nftw(folder, remove_one, 32, FTW_DEPTH | FTW_PHYS); }

static int write_all(int out, const char *bytes, size_t size) {
    while (size > 0) {
        ssize_t written = write(out, bytes, size);
        if (written < 0 && errno != EINTR)
            return -1;
        if (written > 0)
            bytes += written, size -= (size_t)written;
    }
    return 0;
}

/* Write a regular file; -1 with errno when that fails. */
static int extract_file(sqfs *fs, sqfs_inode *inode, const char *path) {
    static char buffer[CHUNK];
    int out = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, inode->base.mode & 0777);
    if (out < 0)
        return -1;
    sqfs_off_t position = 0, left = (sqfs_off_t)inode->xtra.reg.file_size;
    int result = 0;
    while (left > 0 && result == 0) {
        sqfs_off_t size = left < CHUNK ? left : CHUNK;
        if (sqfs_read_range(fs, inode, position, &size, buffer) != SQFS_OK || size <= 0) {
            errno = EIO;
            result = -1;
        } else {
            result = write_all(out, buffer, (size_t)size);
            position += size, left -= size;
        }
    }
    int reason = errno;
    if (close(out) < 0 && result == 0)
        return -1;
    errno = reason;
    return result;
}

static int extract_link(sqfs *fs, sqfs_inode *inode, const char *path) {
    char target[PATH_MAX];
    size_t size = sizeof target;
    if (sqfs_readlink(fs, inode, target, &size) != SQFS_OK) {
        errno = EIO;
        return -1;
    }
    return symlink(target, path);
}

static int extract_entry(sqfs *fs, sqfs_dir_entry *entry, const char *path) {
    sqfs_inode inode;
    if (sqfs_inode_get(fs, &inode, sqfs_dentry_inode(entry)) != SQFS_OK) {
        errno = EIO;
        return -1;
    }
    if (S_ISDIR(inode.base.mode))
        return mkdir(path, 0755);
    if (S_ISREG(inode.base.mode))
        return extract_file(fs, &inode, path);
    return S_ISLNK(inode.base.mode) ? extract_link(fs, &inode, path) : 0;
}

/* Unpack the image into a folder that exists; on failure the folder is removed again. */
static void extract(int file, const char *folder) {
    sqfs fs;
    sqfs_traverse walk;
    sqfs_err error = SQFS_OK;
    char path[PATH_MAX];
    if (sqfs_init(&fs, file, image_offset(file)) != SQFS_OK ||
        sqfs_traverse_open(&walk, &fs, sqfs_inode_root(&fs)) != SQFS_OK) {
        remove_tree(folder);
        fail("%s is damaged.", own_path);
    }
    while (sqfs_traverse_next(&walk, &error)) {
        if (walk.dir_end)
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, walk.path);
        if (extract_entry(&fs, &walk.entry, path) < 0) {
            int reason = errno;
            remove_tree(folder);
            fail("%s cannot be unpacked into %s: %s.", own_path, folder, strerror(reason));
        }
    }
    if (error != SQFS_OK) {
        remove_tree(folder);
        fail("%s is damaged.", own_path);
    }
}

/* Make a folder with its parents. */
static void make_folders(const char *folder) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s", folder);
    for (char *at = path + 1; *at; at++)
        if (*at == '/') {
            *at = 0;
            mkdir(path, 0755);
            *at = '/';
        }
    if (mkdir(path, 0755) < 0 && errno != EEXIST)
        fail("%s cannot be made: %s.", folder, strerror(errno));
}

/* The folder in the cache, filled where this is the first start. */
static void unpacked(int file, char *folder) {
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    char base[PATH_MAX / 2], name[2 * NAME_BYTES + 1], aside[PATH_MAX];
    if (cache && cache[0] == '/')
        snprintf(base, sizeof base, "%s/edgewright/appimage", cache);
    else if (home && home[0] == '/')
        snprintf(base, sizeof base, "%s/.cache/edgewright/appimage", home);
    else
        fail("The variable HOME names no folder to unpack into.");
    content_name(file, name);
    snprintf(folder, PATH_MAX, "%s/%s", base, name);
    if (access(folder, X_OK) == 0)
        return;
    make_folders(base);
    snprintf(aside, sizeof aside, "%s/unpacking-XXXXXX", base);
    if (!mkdtemp(aside))
        fail("%s cannot be written to: %s.", base, strerror(errno));
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "Edgewright: unpacking into %s, once.\n", folder);
    extract(file, aside);
    chmod(aside, 0755);
    if (rename(aside, folder) < 0) {
        int reason = errno;
        remove_tree(aside);
        if (access(folder, X_OK) != 0) /* another start was not faster */
            fail("%s cannot be made: %s.", folder, strerror(reason));
    }
}

static int extract_here(int file) {
    if (mkdir("squashfs-root", 0755) < 0)
        fail("squashfs-root cannot be made here: %s.", strerror(errno));
    extract(file, "squashfs-root");
    puts("squashfs-root");
    return 0;
}

int main(int count, char **words) {
    char folder[PATH_MAX], program[PATH_MAX + 8];
    ssize_t size = readlink("/proc/self/exe", own_path, sizeof own_path - 1);
    if (size < 0)
        fail("/proc is not there: %s.", strerror(errno));
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (file < 0)
        fail("%s cannot be read: %s.", own_path, strerror(errno));
    if (count > 1 && strcmp(words[1], "--appimage-extract") == 0)
        return extract_here(file);
    if (count > 1 && strcmp(words[1], "--appimage-offset") == 0)
        return printf("%zu\n", image_offset(file)) < 0;
    unpacked(file, folder);
    setenv("APPIMAGE", own_path, 1);
    setenv("APPDIR", folder, 1);
    setenv("ARGV0", words[0], 1);
    snprintf(program, sizeof program, "%s/AppRun", folder);
    execv(program, words);
    fail("%s cannot be started: %s.", program, strerror(errno));
}
