/*
 * Sockets of any family, a precise timer and signals for Node's event loop, the namespace that sockets are made in, and
 * where the process stands among others; its children's ends, and the program that takes its place; nothing else. This file knows no protocol:
 * socket addresses, control messages and packets are bytes laid out in TypeScript. What it does know is
 * memory (every length that JavaScript passes is checked here), the event loop, and who owns what:
 *
 *   - A call returns a count or -errno. Only arguments of the wrong type throw.
 *   - While the loop polls a descriptor, its JavaScript object is held strongly (`kept`): an object that is
 *     collected would silently close a socket that somebody listens on.
 *   - An endpoint has two owners, its JavaScript object and (once polled) the loop; the last one frees it.
 *   - Linked with -z nodelete: Node unloads an addon when the last worker that loaded it ends, and the
 *     loop's close callback would then run in unmapped code.
 */
#define _GNU_SOURCE
#define NAPI_VERSION 8
#include "streams.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <node_api.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

/* Per wake-up at most ROUNDS_MAX * SLOTS_MAX datagrams are read, or a flood would starve the timers. */
enum { SLOTS_MAX = 64, ROUNDS_MAX = 4, ARGUMENTS_MAX = 8, PART_MAX = 1 << 20, META_WORDS = 4 };
/* Linux has signals 1 to 64. */
enum { SIGNALS = 65 };
enum { KEPT_SELF, KEPT_CALLBACK, KEPT_SLAB, KEPT_META, KEPT_COUNT };

typedef struct {
  uint8_t *at;
  size_t length;
} bytes;

typedef struct {
  uint32_t *at;
  size_t length;
} words;

/* A slab has `slots` slots; in each the sender's name, the control messages and the data, in this order. */
typedef struct {
  size_t slots, name, control, data;
} shape;

typedef struct endpoint {
  napi_env env;
  int fd;          /* -errno when it is not open */
  int owners;      /* the JavaScript object and, once `inited`, the event loop */
  bool inited;     /* `poll` belongs to the loop */
  bool armed;      /* a timer that is set */
  napi_ref kept;   /* [self, callback, slab, meta] while the loop polls, else NULL */
  void (*ready)(struct endpoint *, int status);
  shape shape;
  uv_poll_t poll;
} endpoint;

/* ------------------------------------------------------------------------------- ownership and the loop */

static void disown(endpoint *it) {
  if (--it->owners == 0) free(it);
}

static void loop_let_go(uv_handle_t *handle) { disown(handle->data); }

static void stop_polling(endpoint *it) {
  if (it->kept == NULL) return;
  uv_poll_stop(&it->poll);
  napi_delete_reference(it->env, it->kept);
  it->kept = NULL;
}

/* The loop's part of closing; the descriptor stays open, because the loop must forget it first. */
static void leave_loop(endpoint *it) {
  stop_polling(it);
  if (!it->inited) return;
  it->inited = false;
  uv_close((uv_handle_t *)&it->poll, loop_let_go);
}

static void environment_ends(void *data) {
  endpoint *it = data;
  leave_loop(it);
  if (it->fd >= 0) close(it->fd);
  it->fd = -EBADF;
}

static void close_endpoint(endpoint *it) {
  if (it->inited) napi_remove_env_cleanup_hook(it->env, environment_ends, it);
  environment_ends(it);
}

static void object_is_collected(napi_env env, void *data, void *hint) {
  (void)env, (void)hint;
  close_endpoint(data);
  disown(data);
}

/* Hands `value` to the callback. A throwing callback must surface as an uncaught exception, not vanish. */
static void deliver(endpoint *it, int value) {
  napi_value kept, self, callback, argument, result, error;
  bool pending = false;
  if (napi_get_reference_value(it->env, it->kept, &kept) != napi_ok ||
      napi_get_element(it->env, kept, KEPT_SELF, &self) != napi_ok ||
      napi_get_element(it->env, kept, KEPT_CALLBACK, &callback) != napi_ok ||
      napi_create_int32(it->env, value, &argument) != napi_ok)
    return;
  if (napi_make_callback(it->env, NULL, self, callback, 1, &argument, &result) == napi_ok) return;
  if (napi_is_exception_pending(it->env, &pending) != napi_ok || !pending) return; /* a worker that ends */
  if (napi_get_and_clear_last_exception(it->env, &error) == napi_ok) napi_fatal_exception(it->env, error);
}

static void on_poll(uv_poll_t *handle, int status, int events) {
  endpoint *it = handle->data;
  napi_handle_scope scope;
  (void)events;
  if (napi_open_handle_scope(it->env, &scope) != napi_ok) return;
  it->ready(it, status);
  /* libuv stops polling on POLLERR, which for a datagram socket is one pending error, reported above. */
  if (status < 0 && it->kept != NULL) uv_poll_start(&it->poll, UV_READABLE, on_poll);
  napi_close_handle_scope(it->env, scope);
}

/* Polls for reading and keeps `values` alive meanwhile; 0 or -errno. */
static int start_polling(endpoint *it, napi_value values[KEPT_COUNT]) {
  napi_value kept;
  uv_loop_t *loop;
  int error;
  if (it->fd < 0) return it->fd;
  if (it->kept != NULL) return -EALREADY;
  if (!it->inited) {
    if (napi_get_uv_event_loop(it->env, &loop) != napi_ok) return -EINVAL;
    if ((error = uv_poll_init(loop, &it->poll, it->fd)) < 0) return error;
    it->poll.data = it;
    it->owners++;
    it->inited = true;
    napi_add_env_cleanup_hook(it->env, environment_ends, it);
  }
  if (napi_create_array_with_length(it->env, KEPT_COUNT, &kept) != napi_ok) return -ENOMEM;
  for (uint32_t i = 0; i < KEPT_COUNT; i++)
    if (napi_set_element(it->env, kept, i, values[i]) != napi_ok) return -ENOMEM;
  if (napi_create_reference(it->env, kept, 1, &it->kept) != napi_ok) return -ENOMEM;
  error = uv_poll_start(&it->poll, UV_READABLE, on_poll);
  if (error < 0) stop_polling(it);
  return error;
}

/* --------------------------------------------------------------------------------- arguments and results */

typedef struct {
  napi_env env;
  napi_value self, arguments[ARGUMENTS_MAX];
  endpoint *it;
  bool wrong; /* an argument has the wrong type; an exception is pending */
} call;

static call enter(napi_env env, napi_callback_info info) {
  call c = {.env = env};
  size_t count = ARGUMENTS_MAX; /* napi fills what is missing with undefined */
  void *it = NULL;
  if (napi_get_cb_info(env, info, &count, c.arguments, &c.self, NULL) != napi_ok ||
      napi_unwrap(env, c.self, &it) != napi_ok) {
    napi_throw_type_error(env, NULL, "rawio: not one of its objects");
    c.wrong = true;
  }
  c.it = it;
  return c;
}

static void refuse(call *c, const char *what) {
  if (!c->wrong) napi_throw_type_error(c->env, NULL, what);
  c->wrong = true;
}

static int integer(call *c, int i) {
  int32_t value = 0;
  if (!c->wrong && napi_get_value_int32(c->env, c->arguments[i], &value) != napi_ok)
    refuse(c, "rawio: a number is expected");
  return value;
}

static size_t size(call *c, int i) {
  int value = integer(c, i);
  if (value >= 0 && value <= PART_MAX) return (size_t)value;
  refuse(c, "rawio: a size from 0 to 1048576 is expected");
  return 0;
}

static bool absent(call *c, int i) {
  napi_valuetype type = napi_undefined;
  return napi_typeof(c->env, c->arguments[i], &type) == napi_ok && type == napi_undefined;
}

static bool array_of(napi_env env, napi_value value, napi_typedarray_type wanted, void **at, size_t *length) {
  napi_typedarray_type type;
  bool is = false;
  *at = NULL, *length = 0;
  if (napi_is_typedarray(env, value, &is) != napi_ok || !is) return false;
  if (napi_get_typedarray_info(env, value, &type, length, at, NULL, NULL) != napi_ok) return false;
  if (*at == NULL) *length = 0; /* detached */
  return type == wanted;
}

static bytes octets(call *c, int i) {
  bytes b = {NULL, 0};
  if (!c->wrong && !array_of(c->env, c->arguments[i], napi_uint8_array, (void **)&b.at, &b.length))
    refuse(c, "rawio: a Uint8Array is expected");
  return b;
}

static bytes optional_octets(call *c, int i) {
  return !c->wrong && absent(c, i) ? (bytes){NULL, 0} : octets(c, i);
}

static words numbers(call *c, int i) {
  words w = {NULL, 0};
  if (!c->wrong && !array_of(c->env, c->arguments[i], napi_uint32_array, (void **)&w.at, &w.length))
    refuse(c, "rawio: a Uint32Array is expected");
  return w;
}

static napi_value answer(call *c, int value) {
  napi_value result = NULL;
  if (!c->wrong) napi_create_int32(c->env, value, &result);
  return result;
}

static int outcome(long result) { return result < 0 ? -errno : (int)result; }

/* ---------------------------------------------------------------------------------------------- receiving */

static bool fits(shape s, bytes slab, words meta) {
  size_t stride = s.name + s.control + s.data;
  return s.slots >= 1 && s.slots <= SLOTS_MAX && stride % 8 == 0 && s.name % 8 == 0 && stride > 0 &&
         slab.length / stride >= s.slots && meta.length >= s.slots * META_WORDS;
}

/* Fills slots and writes {data, name, control length, flags} of each to `meta`; their number or -errno. */
static int receive(int fd, shape s, bytes slab, words meta) {
  struct mmsghdr messages[SLOTS_MAX];
  struct iovec parts[SLOTS_MAX];
  int count;
  if (!fits(s, slab, meta)) return -EINVAL;
  memset(messages, 0, s.slots * sizeof messages[0]);
  for (size_t i = 0; i < s.slots; i++) {
    uint8_t *slot = slab.at + i * (s.name + s.control + s.data);
    parts[i] = (struct iovec){.iov_base = slot + s.name + s.control, .iov_len = s.data};
    messages[i].msg_hdr = (struct msghdr){.msg_name = slot,
                                          .msg_namelen = (socklen_t)s.name,
                                          .msg_iov = &parts[i],
                                          .msg_iovlen = 1,
                                          .msg_control = slot + s.name,
                                          .msg_controllen = s.control};
  }
  /* Packet sockets refuse MSG_CMSG_CLOEXEC. */
  count = outcome(recvmmsg(fd, messages, (unsigned)s.slots, MSG_DONTWAIT, NULL));
  for (int i = 0; i < count; i++) {
    struct msghdr *header = &messages[i].msg_hdr;
    uint32_t *m = meta.at + i * META_WORDS;
    m[0] = messages[i].msg_len;
    m[1] = header->msg_namelen < s.name ? header->msg_namelen : (uint32_t)s.name;
    m[2] = (uint32_t)header->msg_controllen;
    m[3] = (uint32_t)header->msg_flags;
  }
  return count;
}

/* The arrays are looked up again for each batch: a callback may have detached them. */
static int receive_kept(endpoint *it) {
  napi_value kept, slab, meta;
  bytes b;
  words w;
  if (napi_get_reference_value(it->env, it->kept, &kept) != napi_ok ||
      napi_get_element(it->env, kept, KEPT_SLAB, &slab) != napi_ok ||
      napi_get_element(it->env, kept, KEPT_META, &meta) != napi_ok ||
      !array_of(it->env, slab, napi_uint8_array, (void **)&b.at, &b.length) ||
      !array_of(it->env, meta, napi_uint32_array, (void **)&w.at, &w.length))
    return -EINVAL;
  return receive(it->fd, it->shape, b, w);
}

static void socket_ready(endpoint *it, int status) {
  for (int round = 0; round < ROUNDS_MAX && it->kept != NULL; round++) {
    int count = receive_kept(it);
    if (count == -EAGAIN) {
      /* An error that no receive reports sits in the error queue; left there it wakes the loop for ever. */
      if (status < 0 && round == 0) (void)recv(it->fd, NULL, 0, MSG_ERRQUEUE | MSG_DONTWAIT);
      return;
    }
    deliver(it, count);
    if (count >= 0 && (size_t)count < it->shape.slots) return;
    if (count == -EINVAL) { /* the slab is gone */
      stop_polling(it);
      return;
    }
  }
}

/* -------------------------------------------------------------------------------------------- class Sock */

static endpoint *new_endpoint(napi_env env, napi_value self, int fd, void (*ready)(endpoint *, int)) {
  endpoint *it = calloc(1, sizeof *it);
  if (it != NULL) {
    it->env = env, it->fd = fd, it->owners = 1, it->ready = ready;
    if (napi_wrap(env, self, it, object_is_collected, NULL, NULL) == napi_ok) return it;
    free(it);
  }
  if (fd >= 0) close(fd);
  napi_throw_error(env, NULL, "rawio: no memory");
  return NULL;
}

/* new Sock(domain, type, protocol): never fails; `fd()` tells whether it could be opened. */
static napi_value sock_new(napi_env env, napi_callback_info info) {
  call c = {.env = env};
  size_t count = ARGUMENTS_MAX;
  if (napi_get_cb_info(env, info, &count, c.arguments, &c.self, NULL) != napi_ok) return NULL;
  int domain = integer(&c, 0), type = integer(&c, 1), protocol = integer(&c, 2);
  if (c.wrong) return NULL;
  /* Hook scripts must not inherit a raw socket; nothing here may block the loop. */
  int fd = outcome(socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol));
  return new_endpoint(env, c.self, fd, socket_ready) == NULL ? NULL : c.self;
}

static napi_value sock_fd(napi_env env, napi_callback_info info) {
  call c = enter(env, info);
  return answer(&c, c.wrong ? 0 : c.it->fd);
}

static napi_value sock_bind(napi_env env, napi_callback_info info) {
  call c = enter(env, info);
  bytes name = octets(&c, 0);
  if (c.wrong) return NULL;
  return answer(&c, outcome(bind(c.it->fd, (struct sockaddr *)name.at, (socklen_t)name.length)));
}

static napi_value sock_connect(napi_env env, napi_callback_info info) {
  call c = enter(env, info);
  bytes name = octets(&c, 0);
  if (c.wrong) return NULL;
  return answer(&c, outcome(connect(c.it->fd, (struct sockaddr *)name.at, (socklen_t)name.length)));
}

/* setsockopt(level, option, value: Uint8Array) */
static napi_value sock_setsockopt(napi_env env, napi_callback_info info) {
  call c = enter(env, info);
  int level = integer(&c, 0), option = integer(&c, 1);
  bytes value = octets(&c, 2);
  if (c.wrong) return NULL;
  return answer(&c, outcome(setsockopt(c.it->fd, level, option, value.at, (socklen_t)value.length)));
}

/* getsockopt(level, option, into: Uint8Array): the value's length */
static napi_value sock_getsockopt(napi_env env, napi_callback_info info) {
  call c = enter(env, info);
  int level = integer(&c, 0), option = integer(&c, 1);
  bytes into = octets(&c, 2);
  socklen_t length = (socklen_t)into.length;
  if (c.wrong) return NULL;
  int result = outcome(getsockopt(c.it->fd, level, option, into.at, &length));
  return answer(&c, result < 0 ? result : (int)length);
}

/* getsockname(into: Uint8Array): the name's length, at most that of `into` */
static napi_value sock_getsockname(napi_env env, napi_callback_info info) {
  call c = enter(env, info);
  bytes into = octets(&c, 0);
  socklen_t length = (socklen_t)into.length;
  if (c.wrong) return NULL;
  int result = outcome(getsockname(c.it->fd, (struct sockaddr *)into.at, &length));
  if (result < 0) return answer(&c, result);
  return answer(&c, (int)(length < into.length ? length : into.length));
}

/* attachFilter(program: Uint8Array): the instructions of a classic BPF program (struct sock_filter, 8 bytes each) */
static napi_value sock_attach_filter(napi_env env, napi_callback_info info) {
  call c = enter(env, info);
  bytes instructions = octets(&c, 0);
  size_t each = sizeof(struct sock_filter);
  if (c.wrong) return NULL;
  if (instructions.length % each != 0 || instructions.length / each > BPF_MAXINSNS) return answer(&c, -EINVAL);
  struct sock_fprog program = {.len = (unsigned short)(instructions.length / each),
                               .filter = (struct sock_filter *)instructions.at};
  return answer(&c, outcome(setsockopt(c.it->fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program)));
}

static struct msghdr message(bytes name, bytes control, struct iovec *data) {
  return (struct msghdr){.msg_name = name.at,
                         .msg_namelen = (socklen_t)name.length,
                         .msg_iov = data,
                         .msg_iovlen = 1,
                         .msg_control = control.at,
                         .msg_controllen = control.length};
}

/* send(data, name?, control?): bytes sent */
static napi_value sock_send(napi_env env, napi_callback_info info) {
  call c = enter(env, info);
  bytes data = octets(&c, 0), name = optional_octets(&c, 1), control = optional_octets(&c, 2);
  if (c.wrong) return NULL;
  struct iovec part = {.iov_base = data.at, .iov_len = data.length};
  struct msghdr header = message(name, control, &part);
  return answer(&c, outcome(sendmsg(c.it->fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL)));
}

/* As many datagrams as the kernel takes; the error counts only when it took none. */
static int send_all(int fd, bytes data, words lengths, bytes name, bytes control) {
  struct mmsghdr messages[SLOTS_MAX];
  struct iovec parts[SLOTS_MAX];
  size_t sent = 0, offset = 0, total = 0;
  for (size_t i = 0; i < lengths.length; i++) total += lengths.at[i]; /* cannot overflow: 32-bit terms */
  if (total > data.length) return -EINVAL;
  while (sent < lengths.length) {
    size_t left = lengths.length - sent, end = offset;
    unsigned count = left < SLOTS_MAX ? (unsigned)left : SLOTS_MAX;
    for (unsigned i = 0; i < count; i++) {
      parts[i] = (struct iovec){.iov_base = data.at + end, .iov_len = lengths.at[sent + i]};
      messages[i] = (struct mmsghdr){.msg_hdr = message(name, control, &parts[i])};
      end += parts[i].iov_len;
    }
    int taken = outcome(sendmmsg(fd, messages, count, MSG_DONTWAIT | MSG_NOSIGNAL));
    if (taken < 0) return sent > 0 ? (int)sent : taken;
    for (int i = 0; i < taken; i++) offset += parts[i].iov_len;
    sent += (size_t)taken;
  }
  return (int)sent;
}

/* sendBatch(data, lengths: Uint32Array, name?, control?): datagrams sent, cut from `data` in order */
static napi_value sock_send_batch(napi_env env, napi_callback_info info) {
  call c = enter(env, info);
  bytes data = octets(&c, 0), name, control;
  words lengths = numbers(&c, 1);
  name = optional_octets(&c, 2), control = optional_octets(&c, 3);
  if (c.wrong) return NULL;
  return answer(&c, send_all(c.it->fd, data, lengths, name, control));
}

static shape shape_from(call *c, int i) {
  return (shape){size(c, i), size(c, i + 1), size(c, i + 2), size(c, i + 3)};
}

/* recv(slab, meta, slots, nameSize, controlSize, dataSize): datagrams read now, -EAGAIN for none */
static napi_value sock_recv(napi_env env, napi_callback_info info) {
  call c = enter(env, info);
  bytes slab = octets(&c, 0);
  words meta = numbers(&c, 1);
  shape s = shape_from(&c, 2);
  if (c.wrong) return NULL;
  return answer(&c, receive(c.it->fd, s, slab, meta));
}

/* start(slab, meta, slots, nameSize, controlSize, dataSize, callback(count or -errno)) */
static napi_value sock_start(napi_env env, napi_callback_info info) {
  call c = enter(env, info);
  napi_valuetype type = napi_undefined;
  bytes slab = octets(&c, 0);
  words meta = numbers(&c, 1);
  shape s = shape_from(&c, 2);
  if (!c.wrong && (napi_typeof(env, c.arguments[6], &type) != napi_ok || type != napi_function))
    refuse(&c, "rawio: a function is expected");
  if (c.wrong) return NULL;
  if (!fits(s, slab, meta)) return answer(&c, -EINVAL);
  napi_value kept[KEPT_COUNT] = {c.self, c.arguments[6], c.arguments[0], c.arguments[1]};
  int result = start_polling(c.it, kept);
  if (result == 0) c.it->shape = s;
  return answer(&c, result);
}

static napi_value endpoint_stop(napi_env env, napi_callback_info info) {
  call c = enter(env, info);
  if (!c.wrong) stop_polling(c.it);
  return answer(&c, 0);
}

static napi_value endpoint_close(napi_env env, napi_callback_info info) {
  call c = enter(env, info);
  if (!c.wrong) close_endpoint(c.it);
  return answer(&c, 0);
}

/* detach(): gives up the descriptor without closing it, and returns it; the caller closes it. */
static napi_value sock_detach(napi_env env, napi_callback_info info) {
  call c = enter(env, info);
  if (c.wrong) return NULL;
  int fd = c.it->fd;
  c.it->fd = -EBADF;
  close_endpoint(c.it);
  return answer(&c, fd);
}

/* ------------------------------------------------------------------------------------------- class Timer */

static void timer_ready(endpoint *it, int status) {
  uint64_t expirations;
  (void)status;
  if (read(it->fd, &expirations, sizeof expirations) != sizeof expirations) return; /* set anew meanwhile */
  it->armed = false;
  deliver(it, 0);
  /* An idle timer does not keep the process alive. It is polled on, for it will be set again. */
  if (!it->armed && it->kept != NULL) uv_unref((uv_handle_t *)&it->poll);
}

/* Whole microseconds of a clock_gettime(2) or clock_getres(2); -errno where there is no such clock. */
static napi_value clock_answer(napi_env env, napi_callback_info info, int (*ask)(clockid_t, struct timespec *)) {
  call c = {.env = env};
  size_t count = ARGUMENTS_MAX;
  struct timespec is = {0};
  napi_value result = NULL;
  if (napi_get_cb_info(env, info, &count, c.arguments, NULL, NULL) != napi_ok) return NULL;
  int clock = integer(&c, 0);
  if (c.wrong) return NULL;
  if (ask(clock, &is) < 0) return answer(&c, -errno);
  napi_create_int64(env, (int64_t)is.tv_sec * 1000000 + is.tv_nsec / 1000, &result);
  return result;
}

/* clock(id): what time it is */
static napi_value clock_read(napi_env env, napi_callback_info info) {
  return clock_answer(env, info, clock_gettime);
}

/* clockTick(id): how finely it goes */
static napi_value clock_tick(napi_env env, napi_callback_info info) {
  return clock_answer(env, info, clock_getres);
}

/* new Timer(): on CLOCK_BOOTTIME, exact to the kernel's high-resolution timers */
static napi_value timer_new(napi_env env, napi_callback_info info) {
  call c = {.env = env};
  if (napi_get_cb_info(env, info, NULL, NULL, &c.self, NULL) != napi_ok) return NULL;
  int fd = outcome(timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC));
  return new_endpoint(env, c.self, fd, timer_ready) == NULL ? NULL : c.self;
}

/*
 * set(us: number, callback): fires once at this instant; a negative one disarms. The callback of the first
 * set counts until it is disarmed.
 */
static napi_value timer_set(napi_env env, napi_callback_info info) {
  call c = enter(env, info);
  napi_valuetype type = napi_undefined;
  int64_t us = 0;
  struct itimerspec when = {0};
  if (c.wrong) return NULL;
  if (napi_get_value_int64(env, c.arguments[0], &us) != napi_ok) refuse(&c, "rawio: a number is expected");
  if (!c.wrong && (napi_typeof(env, c.arguments[1], &type) != napi_ok || type != napi_function))
    refuse(&c, "rawio: a function is expected");
  if (c.wrong) return NULL;
  if (us >= 0) {
    when.it_value.tv_sec = us / 1000000;
    when.it_value.tv_nsec = us > 0 ? us % 1000000 * 1000 : 1; /* all zeros would disarm */
  }
  int result = outcome(timerfd_settime(c.it->fd, TFD_TIMER_ABSTIME, &when, NULL));
  if (result < 0) return answer(&c, result);
  c.it->armed = us >= 0;
  if (!c.it->armed) {
    stop_polling(c.it);
  } else if (c.it->kept == NULL) {
    napi_value kept[KEPT_COUNT] = {c.self, c.arguments[1], c.arguments[0], c.arguments[0]};
    result = start_polling(c.it, kept);
  }
  if (c.it->kept != NULL) uv_ref((uv_handle_t *)&c.it->poll);
  return answer(&c, result);
}

/* ------------------------------------------------------------------------------------------ class Signal */

/* By signal: the eventfd that its handler wakes, 0 for none. Never closed: a handler may run at any time. */
static _Atomic int wakes[SIGNALS];

/*
 * SIGXCPU tells that the process was in real time for too long (RLIMIT_RTTIME). The event loop may never turn again,
 * so it is taken out of real time here: its main thread, which alone is in it.
 */
static void signal_arrived(int number) {
  int saved = errno;
  const struct sched_param ordinary = {.sched_priority = 0};
  if (number == SIGXCPU) sched_setscheduler(getpid(), SCHED_OTHER | SCHED_RESET_ON_FORK, &ordinary);
  const uint64_t one = 1;
  ssize_t written = write(wakes[number], &one, sizeof one);
  (void)written; /* it only fails when 2^64 wait already */
  errno = saved;
}

static void signal_ready(endpoint *it, int status) {
  uint64_t count;
  (void)status;
  if (read(it->fd, &count, sizeof count) == sizeof count) deliver(it, count > INT_MAX ? INT_MAX : (int)count);
}

/* new Signal() */
static napi_value signal_new(napi_env env, napi_callback_info info) {
  call c = {.env = env};
  if (napi_get_cb_info(env, info, NULL, NULL, &c.self, NULL) != napi_ok) return NULL;
  int fd = outcome(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  return new_endpoint(env, c.self, fd, signal_ready) == NULL ? NULL : c.self;
}

/*
 * listen(number, callback): calls back with how many have arrived. For signals that Node does not know: it has none of
 * the real-time ones, whose default is to end the process. A handler, not signalfd: that needs the signal blocked in
 * every thread, and Node's own were there before us.
 */
static napi_value signal_listen(napi_env env, napi_callback_info info) {
  call c = enter(env, info);
  napi_valuetype type = napi_undefined;
  int number = integer(&c, 0);
  if (!c.wrong && (napi_typeof(env, c.arguments[1], &type) != napi_ok || type != napi_function))
    refuse(&c, "rawio: a function is expected");
  if (c.wrong) return NULL;
  if (number < 1 || number >= SIGNALS || wakes[number] != 0 || c.it->kept != NULL) return answer(&c, -EINVAL);
  int wake = outcome(fcntl(c.it->fd, F_DUPFD_CLOEXEC, 3));
  if (wake < 0) return answer(&c, wake);
  wakes[number] = wake;
  struct sigaction action = {.sa_handler = signal_arrived, .sa_flags = SA_RESTART};
  int result = outcome(sigaction(number, &action, NULL));
  if (result < 0) return answer(&c, result);
  napi_value kept[KEPT_COUNT] = {c.self, c.arguments[1], c.arguments[0], c.arguments[0]};
  result = start_polling(c.it, kept);
  if (result >= 0) uv_unref((uv_handle_t *)&c.it->poll); /* as Node's own: to listen is no reason to stay */
  return answer(&c, result);
}

static void signal_unheard(int number) {
  (void)number;
}

/*
 * unheard(number): the signal ends nothing and means nothing from now on. A handler: to ignore it would be passed on to
 * the programs that are started.
 */
static napi_value signal_drop(napi_env env, napi_callback_info info) {
  call c = {.env = env};
  size_t count = ARGUMENTS_MAX;
  if (napi_get_cb_info(env, info, &count, c.arguments, NULL, NULL) != napi_ok) return NULL;
  int number = integer(&c, 0);
  if (c.wrong) return NULL;
  struct sigaction action = {.sa_handler = signal_unheard, .sa_flags = SA_RESTART};
  return answer(&c, outcome(sigaction(number, &action, NULL)));
}

/* ------------------------------------------------------------------------------------------------ module */

/*
 * writeNow(fd, data: Uint8Array): as much as can be written without waiting, whoever has the descriptor too and whatever
 * they set it to: libuv lets standard error of its children wait, and with it that of the parent. A pipe that is
 * writable takes PIPE_BUF bytes. -EAGAIN when it takes nothing now.
 */
static napi_value write_now(napi_env env, napi_callback_info info) {
  call c = {.env = env};
  size_t count = ARGUMENTS_MAX;
  if (napi_get_cb_info(env, info, &count, c.arguments, NULL, NULL) != napi_ok) return NULL;
  int fd = integer(&c, 0);
  bytes data = octets(&c, 1);
  if (c.wrong) return NULL;
  ssize_t sent = send(fd, data.at, data.length, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent >= 0 || errno == EAGAIN) return answer(&c, outcome((int)sent));
  struct pollfd ready = {.fd = fd, .events = POLLOUT};
  int result = outcome(poll(&ready, 1, 0));
  if (result == 0) result = -EAGAIN;
  if (result > 0) result = outcome((int)write(fd, data.at, data.length < PIPE_BUF ? data.length : PIPE_BUF));
  return answer(&c, result);
}

/* lock(fd): flock(2) for this process alone, without waiting */
static napi_value lock_file(napi_env env, napi_callback_info info) {
  call c = {.env = env};
  size_t count = ARGUMENTS_MAX;
  if (napi_get_cb_info(env, info, &count, c.arguments, NULL, NULL) != napi_ok) return NULL;
  int fd = integer(&c, 0);
  if (c.wrong) return NULL;
  return answer(&c, outcome(flock(fd, LOCK_EX | LOCK_NB)));
}

/* sched(policy, priority): of the calling thread; the policy may carry SCHED_RESET_ON_FORK */
static napi_value sched_set(napi_env env, napi_callback_info info) {
  call c = {.env = env};
  size_t count = ARGUMENTS_MAX;
  if (napi_get_cb_info(env, info, &count, c.arguments, NULL, NULL) != napi_ok) return NULL;
  int policy = integer(&c, 0);
  struct sched_param parameter = {.sched_priority = integer(&c, 1)};
  if (c.wrong) return NULL;
  return answer(&c, outcome(sched_setscheduler(0, policy, &parameter)));
}

/* affinity(thread, mask: Uint8Array): the CPUs that it may use, a bit each */
static napi_value affinity_set(napi_env env, napi_callback_info info) {
  call c = {.env = env};
  size_t count = ARGUMENTS_MAX;
  if (napi_get_cb_info(env, info, &count, c.arguments, NULL, NULL) != napi_ok) return NULL;
  int thread = integer(&c, 0);
  bytes mask = octets(&c, 1);
  if (c.wrong) return NULL;
  return answer(&c, outcome(sched_setaffinity(thread, mask.length, (const cpu_set_t *)mask.at)));
}

/* limit(resource, soft: number): of the process; at most what the hard limit is, which stays */
static napi_value limit_set(napi_env env, napi_callback_info info) {
  call c = {.env = env};
  size_t count = ARGUMENTS_MAX;
  if (napi_get_cb_info(env, info, &count, c.arguments, NULL, NULL) != napi_ok) return NULL;
  int resource = integer(&c, 0);
  int64_t soft = 0;
  struct rlimit limit;
  if (!c.wrong && (napi_get_value_int64(env, c.arguments[1], &soft) != napi_ok || soft < 0))
    refuse(&c, "rawio: a limit is expected");
  if (c.wrong) return NULL;
  int result = outcome(getrlimit(resource, &limit));
  if (result < 0) return answer(&c, result);
  limit.rlim_cur = (rlim_t)soft < limit.rlim_max ? (rlim_t)soft : limit.rlim_max;
  return answer(&c, outcome(setrlimit(resource, &limit)));
}

/* setns(fd, type): of the calling thread, and of what it starts from now on */
static napi_value enter_namespace(napi_env env, napi_callback_info info) {
  call c = {.env = env};
  size_t count = ARGUMENTS_MAX;
  if (napi_get_cb_info(env, info, &count, c.arguments, NULL, NULL) != napi_ok) return NULL;
  int fd = integer(&c, 0), type = integer(&c, 1);
  if (c.wrong) return NULL;
  return answer(&c, outcome(setns(fd, type)));
}

/* closeOnExec(fd): no program that is started has it */
static napi_value close_on_exec(napi_env env, napi_callback_info info) {
  call c = {.env = env};
  size_t count = ARGUMENTS_MAX;
  if (napi_get_cb_info(env, info, &count, c.arguments, NULL, NULL) != napi_ok) return NULL;
  int fd = integer(&c, 0);
  if (c.wrong) return NULL;
  return answer(&c, outcome(fcntl(fd, F_SETFD, FD_CLOEXEC)));
}

/* ioctl(fd, request, data: Uint8Array): of a device; the request says itself how many bytes it reads and writes */
static napi_value device_ioctl(napi_env env, napi_callback_info info) {
  call c = {.env = env};
  size_t count = ARGUMENTS_MAX;
  if (napi_get_cb_info(env, info, &count, c.arguments, NULL, NULL) != napi_ok) return NULL;
  int fd = integer(&c, 0);
  unsigned request = (unsigned)integer(&c, 1);
  bytes data = octets(&c, 2);
  if (!c.wrong && _IOC_SIZE(request) != data.length) refuse(&c, "rawio: data of the request's length is expected");
  if (c.wrong) return NULL;
  return answer(&c, outcome(ioctl(fd, request, data.at)));
}

/* bury(pid): waitpid(2) of a child, without waiting */
static napi_value bury_child(napi_env env, napi_callback_info info) {
  call c = {.env = env};
  size_t count = ARGUMENTS_MAX;
  if (napi_get_cb_info(env, info, &count, c.arguments, NULL, NULL) != napi_ok) return NULL;
  int pid = integer(&c, 0);
  if (!c.wrong && pid <= 0) refuse(&c, "rawio: the id of a process is expected");
  if (c.wrong) return NULL;
  return answer(&c, outcome(waitpid(pid, NULL, WNOHANG)));
}

/* The texts in `data`, each ended by a zero byte, as execve(2) wants them; NULL without memory. */
static char **texts(bytes data) {
  size_t count = 0;
  for (size_t i = 0; i < data.length; i++) count += data.at[i] == 0;
  char **list = calloc(count + 1, sizeof *list);
  char *at = (char *)data.at;
  for (size_t i = 0; list != NULL && i < count; i++) {
    list[i] = at;
    at += strlen(at) + 1;
  }
  return list;
}

/*
 * execute(path, words, variables: Uint8Array): execve(2). Node keeps its standard descriptors from all it starts; the
 * program that takes its place has them.
 */
static napi_value execute_program(napi_env env, napi_callback_info info) {
  call c = {.env = env};
  size_t count = ARGUMENTS_MAX;
  if (napi_get_cb_info(env, info, &count, c.arguments, NULL, NULL) != napi_ok) return NULL;
  bytes path = octets(&c, 0), words = octets(&c, 1), variables = octets(&c, 2);
  if (!c.wrong && (path.length == 0 || path.at[path.length - 1] != 0)) refuse(&c, "rawio: an ended path is expected");
  if (c.wrong) return NULL;
  char **arguments = texts(words), **environment = texts(variables);
  int result = -ENOMEM;
  if (arguments != NULL && environment != NULL) {
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) fcntl(fd, F_SETFD, 0);
    execve((const char *)path.at, arguments, environment);
    result = -errno;
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) fcntl(fd, F_SETFD, FD_CLOEXEC);
  }
  free(arguments);
  free(environment);
  return answer(&c, result);
}

/* defaultSignals(): real-time signals that are ignored since the start are not; Node cares for the others */
static napi_value default_signals(napi_env env, napi_callback_info info) {
  (void)info;
  call c = {.env = env};
  for (int number = SIGRTMIN; number <= SIGRTMAX; number++) {
    struct sigaction action;
    if (sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN) signal(number, SIG_DFL);
  }
  return answer(&c, 0);
}

/* hideMemory(): no core dump of this process, no debugger but root's with CAP_SYS_PTRACE; until it executes another */
static napi_value hide_memory(napi_env env, napi_callback_info info) {
  (void)info;
  call c = {.env = env};
  return answer(&c, outcome(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)));
}

#define METHOD(js_name, function) {js_name, NULL, function, NULL, NULL, NULL, napi_default_method, NULL}
#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

static void define_class(napi_env env, napi_value exports, const char *name, napi_callback constructor,
                         size_t count, const napi_property_descriptor *methods) {
  napi_value made;
  if (napi_define_class(env, name, NAPI_AUTO_LENGTH, constructor, NULL, count, methods, &made) == napi_ok)
    napi_set_named_property(env, exports, name, made);
}

NAPI_MODULE_INIT() {
  const napi_property_descriptor sock[] = {
      METHOD("fd", sock_fd),
      METHOD("bind", sock_bind),
      METHOD("connect", sock_connect),
      METHOD("setsockopt", sock_setsockopt),
      METHOD("getsockopt", sock_getsockopt),
      METHOD("getsockname", sock_getsockname),
      METHOD("attachFilter", sock_attach_filter),
      METHOD("send", sock_send),
      METHOD("sendBatch", sock_send_batch),
      METHOD("recv", sock_recv),
      METHOD("start", sock_start),
      METHOD("stop", endpoint_stop),
      METHOD("detach", sock_detach),
      METHOD("close", endpoint_close),
  };
  const napi_property_descriptor timer[] = {
      METHOD("set", timer_set),
      METHOD("close", endpoint_close),
  };
  const napi_property_descriptor signals[] = {
      METHOD("listen", signal_listen),
  };
  const napi_property_descriptor functions[] = {
      METHOD("sched", sched_set),
      METHOD("clock", clock_read),
      METHOD("clockTick", clock_tick),
      METHOD("affinity", affinity_set),
      METHOD("limit", limit_set),
      METHOD("setns", enter_namespace),
      METHOD("closeOnExec", close_on_exec),
      METHOD("defaultSignals", default_signals),
      METHOD("hideMemory", hide_memory),
      METHOD("unheard", signal_drop),
      METHOD("ioctl", device_ioctl),
      METHOD("lock", lock_file),
      METHOD("writeNow", write_now),
      METHOD("bury", bury_child),
      METHOD("execute", execute_program),
  };
  define_class(env, exports, "Sock", sock_new, LENGTH(sock), sock);
  define_class(env, exports, "Timer", timer_new, LENGTH(timer), timer);
  define_class(env, exports, "Signal", signal_new, LENGTH(signals), signals);
  napi_define_properties(env, exports, LENGTH(functions), functions);
  define_streams(env, exports);
  return exports;
}
