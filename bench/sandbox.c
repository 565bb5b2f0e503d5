#include "bench/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "core/base/os.h"

#define PATH_BYTES 600

/* ---- rights ------------------------------------------------------------------------------ */

static bool write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t written = write(fd, text, strlen(text));
    close(fd);
    return written == (ssize_t)strlen(text);
}

static bool become_root(void)
{
    char users[64];
    char groups[64];
    snprintf(users, sizeof users, "0 %u 1\n", (unsigned)geteuid());
    snprintf(groups, sizeof groups, "0 %u 1\n", (unsigned)getegid());
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
    return write_text("/proc/self/uid_map", users) && write_text("/proc/self/setgroups", "deny") &&
           write_text("/proc/self/gid_map", groups);
}

sy_status sy_sandbox_enter(struct sy_error *err)
{
    bool entered = unshare(CLONE_NEWNS) == 0 || become_root();
    if (entered && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0) return SY_OK;
    return sy_fail(err, SY_ERR_PERMISSION, "mounts of its own cannot be had here: %s",
                   strerror(errno));
}

/* ---- disks ------------------------------------------------------------------------------- */

static sy_status copy_tree(const char *from, const char *to, struct sy_error *err)
{
    char source[PATH_BYTES];
    snprintf(source, sizeof source, "%s/.", from);
    pid_t pid = fork();
    if (pid == 0) {
        execlp("cp", "cp", "-a", "--sparse=always", source, to, (char *)NULL);
        _exit(127);
    }
    int code = -1;
    if (pid > 0 && waitpid(pid, &code, 0) == pid && code == 0) return SY_OK;
    return sy_fail(err, SY_ERR_IO, "`cp -a %s %s` failed", source, to);
}

static sy_status mount_disk(const char *folder, size_t bytes, struct sy_error *err)
{
    char options[64];
    snprintf(options, sizeof options, "size=%zu,mode=0700", bytes);
    if (mount("systole-chaos", folder, "tmpfs", 0, options) == 0) return SY_OK;
    return sy_fail(err, sy_os_status(errno), "%s: a small disk cannot be mounted: %s", folder,
                   strerror(errno));
}

static sy_status used_bytes(const char *folder, size_t *bytes, struct sy_error *err)
{
    struct statvfs about;
    if (statvfs(folder, &about) != 0) {
        return sy_fail(err, sy_os_status(errno), "%s: %s", folder, strerror(errno));
    }
    *bytes = (size_t)(about.f_blocks - about.f_bfree) * about.f_frsize;
    return SY_OK;
}

static sy_status resize_disk(const char *folder, size_t bytes, struct sy_error *err)
{
    char options[64];
    snprintf(options, sizeof options, "size=%zu", bytes);
    if (mount("systole-chaos", folder, "tmpfs", MS_REMOUNT, options) == 0) return SY_OK;
    return sy_fail(err, sy_os_status(errno), "%s: the small disk cannot be cut to size: %s", folder,
                   strerror(errno));
}

static sy_status put_aside(const char *folder, const char *aside, struct sy_error *err)
{
    if (rename(folder, aside) == 0 && mkdir(folder, 0700) == 0) return SY_OK;
    return sy_fail(err, sy_os_status(errno), "%s cannot be moved: %s", folder, strerror(errno));
}

sy_status sy_sandbox_shrink(const char *folder, size_t spare_bytes, struct sy_error *err)
{
    char aside[PATH_BYTES];
    size_t used = 0;
    snprintf(aside, sizeof aside, "%s.aside", folder);
    SY_TRY(put_aside(folder, aside, err));
    SY_TRY(mount_disk(folder, (size_t)1 << 30, err));
    SY_TRY(copy_tree(aside, folder, err));
    SY_TRY(used_bytes(folder, &used, err));
    SY_TRY(resize_disk(folder, used + spare_bytes, err));
    /* From here on what was put aside is old: nobody may start over it. */
    return sy_os_remove_tree(aside, err);
}

sy_status sy_sandbox_restore(const char *folder, struct sy_error *err)
{
    char aside[PATH_BYTES];
    snprintf(aside, sizeof aside, "%s.aside", folder);
    SY_TRY(sy_os_make_dirs(aside, 0700, err));
    SY_TRY(copy_tree(folder, aside, err));
    if (umount(folder) != 0 || rmdir(folder) != 0 || rename(aside, folder) != 0) {
        return sy_fail(err, sy_os_status(errno), "%s cannot be moved back: %s", folder,
                       strerror(errno));
    }
    return SY_OK;
}
