/*
 * Many short TCP connections for one caller: a table of non-blocking stream sockets behind one epoll descriptor,
 * which is all that the event loop polls. What happened to all of them in a turn goes to JavaScript in one call:
 * a row of words for each socket, and what was read in one shared buffer. It knows no protocol.
 *
 *   - A place in the table is a number; it is used again only after the turn in which it was given back.
 *   - Sockets are polled edge-triggered and registered once. A read that fills its part of the buffer arms the
 *     socket again.
 *   - A connection that is ended in order is closed for writing, and what the peer still sends is read away, until
 *     it closes too: closing with unread data would send a reset, which servers log as an error.
 */
#define _GNU_SOURCE
#define NAPI_VERSION 8
#include "streams.h"
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

enum { BATCH = 64, ROUNDS = 8, PART = 16384, ROW = 4, PLACES_MAX = 65536, DRAINING_MAX = 1024, DRAIN_READS = 4 };
/* Bits of a row: {place, bits, bytes read, errno}. */
enum { CONNECTED = 1, DATA = 2, ENDED = 4, FAILED = 8 };
enum { FREE, CONNECTING, OPEN, DRAINING };
enum { KEPT_CALLBACK, KEPT_BUFFER, KEPT_ROWS, KEPT_COUNT };
/* How to end a connection. */
enum { IN_ORDER, RESET };

typedef struct {
  int fd, next; /* the next free place */
  uint8_t state;
  uint8_t age; /* sweeps since it began to drain */
} place;

typedef struct {
  napi_env env;
  int epoll, owners, capacity, draining;
  int free, given_back; /* heads of lists of places: to be used, and to be used after this turn */
  bool delivering;
  napi_ref kept;
  uv_poll_t poll;
  place *places;
} streams;

static int failure(void) { return -errno; }

static void disown(streams *it) {
  if (--it->owners > 0) return;
  free(it->places);
  free(it);
}

static void loop_let_go(uv_handle_t *handle) { disown(handle->data); }

static void give_back(streams *it, int i) {
  place *p = &it->places[i];
  if (p->state == DRAINING) it->draining--;
  p->state = FREE, p->fd = -1;
  int *list = it->delivering ? &it->given_back : &it->free;
  p->next = *list, *list = i;
}

/* Closing also takes the descriptor out of the epoll set: nobody else has it. */
static void drop(streams *it, int i) {
  close(it->places[i].fd);
  give_back(it, i);
}

static void reset(int fd) {
  struct linger hard = {.l_onoff = 1, .l_linger = 0};
  (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
}

static void close_all(void *data) {
  streams *it = data;
  if (it->epoll < 0) return;
  uv_poll_stop(&it->poll);
  uv_close((uv_handle_t *)&it->poll, loop_let_go);
  for (int i = 0; i < it->capacity; i++)
    if (it->places[i].state != FREE) drop(it, i);
  close(it->epoll);
  it->epoll = -1;
  napi_delete_reference(it->env, it->kept);
}

static void object_is_collected(napi_env env, void *data, void *hint) {
  (void)hint;
  streams *it = data;
  if (it->epoll >= 0) {
    napi_remove_env_cleanup_hook(env, close_all, it);
    close_all(it);
  }
  disown(it);
}

/* ------------------------------------------------------------------------------------------------ the turn */

static void arm(streams *it, int operation, int i) {
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.u32 = (uint32_t)i};
  (void)epoll_ctl(it->epoll, operation, it->places[i].fd, &event);
}

/* Reads away what nobody wants; true when the connection is over. */
static bool drain(streams *it, int i) {
  char scratch[PART];
  for (int reads = 0; reads < DRAIN_READS; reads++) {
    ssize_t got = recv(it->places[i].fd, scratch, sizeof scratch, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return false;
    if (got <= 0) return true;
  }
  reset(it->places[i].fd); /* it sends without end */
  return true;
}

/* What an event means: fills `row` and reads into `part`; false when there is nothing to tell. */
static bool observe(streams *it, struct epoll_event *event, uint32_t *row, uint8_t *part) {
  int i = (int)event->data.u32;
  place *p = &it->places[i];
  if (p->state == FREE) return false;
  if (p->state == DRAINING) {
    if (drain(it, i)) drop(it, i);
    return false;
  }
  row[0] = (uint32_t)i, row[1] = 0, row[2] = 0, row[3] = 0;
  if (p->state == CONNECTING) {
    int error = 0;
    socklen_t length = sizeof error;
    if ((event->events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) == 0) return false;
    /* A connection that failed has an error to tell. */
    if ((event->events & (EPOLLERR | EPOLLHUP)) != 0 &&
        getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
      error = errno;
    if (error != 0) {
      row[1] = FAILED, row[3] = (uint32_t)error;
      return true;
    }
    p->state = OPEN;
    row[1] |= CONNECTED;
  }
  if ((event->events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
    ssize_t got = recv(p->fd, part, PART, MSG_DONTWAIT);
    if (got > 0) row[1] |= DATA, row[2] = (uint32_t)got;
    if (got == 0) row[1] |= ENDED;
    if (got < 0 && errno != EAGAIN) row[1] |= FAILED, row[3] = (uint32_t)errno;
    /* More may wait, or the end: edges come only once. */
    if (got == PART || (got > 0 && (event->events & (EPOLLRDHUP | EPOLLHUP)) != 0)) arm(it, EPOLL_CTL_MOD, i);
  }
  return row[1] != 0;
}

static bool array_at(napi_env env, napi_value holder, uint32_t i, napi_typedarray_type wanted, size_t least,
                     void **at) {
  napi_value value;
  napi_typedarray_type type;
  size_t length;
  return napi_get_element(env, holder, i, &value) == napi_ok &&
         napi_get_typedarray_info(env, value, &type, &length, at, NULL, NULL) == napi_ok && type == wanted &&
         *at != NULL && length >= least;
}

/* One batch of events, to JavaScript if it is to know; false when there were fewer than a batch. */
static bool turn(streams *it) {
  struct epoll_event events[BATCH];
  napi_value kept, callback, self, arguments[2], result, error;
  uint8_t *buffer;
  uint32_t *rows;
  int told = 0, count = epoll_wait(it->epoll, events, BATCH, 0);
  bool pending = false;
  if (count <= 0 || napi_get_reference_value(it->env, it->kept, &kept) != napi_ok ||
      !array_at(it->env, kept, KEPT_BUFFER, napi_uint8_array, BATCH * PART, (void **)&buffer) ||
      !array_at(it->env, kept, KEPT_ROWS, napi_uint32_array, BATCH * ROW, (void **)&rows))
    return false;
  for (int e = 0; e < count; e++)
    if (observe(it, &events[e], rows + told * ROW, buffer + told * PART)) told++;
  if (told == 0) return count == BATCH;
  it->delivering = true;
  if (napi_get_element(it->env, kept, KEPT_CALLBACK, &callback) == napi_ok &&
      napi_get_global(it->env, &self) == napi_ok &&
      napi_create_int32(it->env, told, &arguments[0]) == napi_ok &&
      napi_get_boolean(it->env, count == BATCH, &arguments[1]) == napi_ok &&
      napi_make_callback(it->env, NULL, self, callback, 2, arguments, &result) != napi_ok &&
      napi_is_exception_pending(it->env, &pending) == napi_ok && pending &&
      napi_get_and_clear_last_exception(it->env, &error) == napi_ok)
    napi_fatal_exception(it->env, error);
  it->delivering = false;
  while (it->given_back >= 0) {
    int i = it->given_back;
    it->given_back = it->places[i].next;
    it->places[i].next = it->free, it->free = i;
  }
  return count == BATCH;
}

static void on_ready(uv_poll_t *handle, int status, int events) {
  streams *it = handle->data;
  napi_handle_scope scope;
  (void)status, (void)events;
  for (int round = 0; round < ROUNDS && it->epoll >= 0; round++) {
    if (napi_open_handle_scope(it->env, &scope) != napi_ok) return;
    bool more = turn(it);
    napi_close_handle_scope(it->env, scope);
    if (!more) return;
  }
}

/* ------------------------------------------------------------------------------------------- from JavaScript */

enum { ARGUMENTS = 6 };

typedef struct {
  napi_env env;
  napi_value self, arguments[ARGUMENTS];
  streams *it;
  bool wrong;
} call;

static void refuse(call *c, const char *what) {
  if (!c->wrong) napi_throw_type_error(c->env, NULL, what);
  c->wrong = true;
}

static call enter(napi_env env, napi_callback_info info) {
  call c = {.env = env};
  size_t count = ARGUMENTS;
  void *it = NULL;
  if (napi_get_cb_info(env, info, &count, c.arguments, &c.self, NULL) != napi_ok ||
      napi_unwrap(env, c.self, &it) != napi_ok)
    refuse(&c, "streams: not one of its objects");
  c.it = it;
  return c;
}

static int integer(call *c, int i) {
  int32_t value = 0;
  if (!c->wrong && napi_get_value_int32(c->env, c->arguments[i], &value) != napi_ok)
    refuse(c, "streams: a number is expected");
  return value;
}

/* A Uint8Array; NULL and 0 for undefined. */
static const void *octets(call *c, int i, size_t *length) {
  napi_valuetype kind = napi_undefined;
  napi_typedarray_type type = napi_int8_array;
  bool is = false;
  void *at = NULL;
  *length = 0;
  if (c->wrong || (napi_typeof(c->env, c->arguments[i], &kind) == napi_ok && kind == napi_undefined)) return NULL;
  if (napi_is_typedarray(c->env, c->arguments[i], &is) != napi_ok || !is ||
      napi_get_typedarray_info(c->env, c->arguments[i], &type, length, &at, NULL, NULL) != napi_ok ||
      type != napi_uint8_array)
    refuse(c, "streams: a Uint8Array is expected");
  return at;
}

static napi_value answer(call *c, int value) {
  napi_value result = NULL;
  if (!c->wrong) napi_create_int32(c->env, value, &result);
  return result;
}

/* A place that is in use, or NULL. */
static place *used(call *c, int i) {
  int at = integer(c, i);
  if (c->wrong) return NULL;
  if (at >= 0 && at < c->it->capacity && (c->it->places[at].state == CONNECTING || c->it->places[at].state == OPEN))
    return &c->it->places[at];
  refuse(c, "streams: no connection of that number");
  return NULL;
}

static int prepare(int fd, const void *source, size_t source_length, const void *device, size_t device_length,
                   int mark) {
  int on = 1;
  if (mark != 0 && setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof mark) < 0) return failure();
  if (device != NULL && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, (socklen_t)device_length) < 0)
    return failure();
  if (source == NULL) return 0;
  if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0) return failure();
  return bind(fd, source, (socklen_t)source_length) < 0 ? failure() : 0;
}

/* open(name, source?, device?, mark): begins to connect; the place, or -errno */
static napi_value streams_open(napi_env env, napi_callback_info info) {
  call c = enter(env, info);
  size_t name_length, source_length, device_length;
  const struct sockaddr *name = octets(&c, 0, &name_length);
  const void *source = octets(&c, 1, &source_length), *device = octets(&c, 2, &device_length);
  int mark = integer(&c, 3);
  if (c.wrong) return NULL;
  streams *it = c.it;
  if (it->epoll < 0) return answer(&c, -EBADF);
  if (name == NULL || name_length < sizeof(struct sockaddr_in)) return answer(&c, -EINVAL);
  if (it->free < 0) return answer(&c, -ENOSR);
  int fd = socket(name->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return answer(&c, failure());
  int error = prepare(fd, source, source_length, device, device_length, mark);
  if (error == 0 && connect(fd, name, (socklen_t)name_length) < 0 && errno != EINPROGRESS) error = failure();
  if (error < 0) {
    close(fd);
    return answer(&c, error);
  }
  int i = it->free;
  it->free = it->places[i].next;
  it->places[i] = (place){.fd = fd, .next = -1, .state = CONNECTING};
  arm(it, EPOLL_CTL_ADD, i);
  return answer(&c, i);
}

/* write(place, data): bytes taken, or -errno */
static napi_value streams_write(napi_env env, napi_callback_info info) {
  call c = enter(env, info);
  size_t length;
  place *p = used(&c, 0);
  const void *data = octets(&c, 1, &length);
  if (c.wrong) return NULL;
  ssize_t sent = send(p->fd, data, length, MSG_NOSIGNAL | MSG_DONTWAIT);
  return answer(&c, sent < 0 ? failure() : (int)sent);
}

/* end(place, how): the place is the caller's no more; how many are draining */
static napi_value streams_end(napi_env env, napi_callback_info info) {
  call c = enter(env, info);
  place *p = used(&c, 0);
  int how = integer(&c, 1);
  if (c.wrong) return NULL;
  streams *it = c.it;
  int i = (int)(p - it->places);
  if (how == RESET) reset(p->fd);
  if (how != IN_ORDER || p->state != OPEN || it->draining >= DRAINING_MAX || shutdown(p->fd, SHUT_WR) < 0 ||
      drain(it, i)) {
    drop(it, i);
  } else {
    p->state = DRAINING, p->age = 0;
    it->draining++;
  }
  return answer(&c, it->draining);
}

/* detach(place): gives the descriptor away, for `new net.Socket({ fd })` */
static napi_value streams_detach(napi_env env, napi_callback_info info) {
  call c = enter(env, info);
  place *p = used(&c, 0);
  if (c.wrong) return NULL;
  int fd = p->fd;
  (void)epoll_ctl(c.it->epoll, EPOLL_CTL_DEL, fd, NULL);
  give_back(c.it, (int)(p - c.it->places));
  return answer(&c, fd);
}

/* sweep(): drops what has been draining since before the last sweep; how many go on draining */
static napi_value streams_sweep(napi_env env, napi_callback_info info) {
  call c = enter(env, info);
  if (c.wrong) return NULL;
  for (int i = 0; i < c.it->capacity && c.it->draining > 0; i++)
    if (c.it->places[i].state == DRAINING && c.it->places[i].age++ > 0) drop(c.it, i);
  return answer(&c, c.it->draining);
}

/* keepAlive(on): whether the event loop waits for it */
static napi_value streams_keep_alive(napi_env env, napi_callback_info info) {
  call c = enter(env, info);
  int on = integer(&c, 0);
  if (c.wrong || c.it->epoll < 0) return NULL;
  if (on) uv_ref((uv_handle_t *)&c.it->poll);
  else uv_unref((uv_handle_t *)&c.it->poll);
  return answer(&c, 0);
}

static bool keep(call *c, streams *it) {
  napi_value kept;
  if (napi_create_array_with_length(c->env, KEPT_COUNT, &kept) != napi_ok) return false;
  for (uint32_t i = 0; i < KEPT_COUNT; i++)
    if (napi_set_element(c->env, kept, i, c->arguments[i + 1]) != napi_ok) return false;
  return napi_create_reference(c->env, kept, 1, &it->kept) == napi_ok;
}

/* Opens the epoll descriptor and polls it; 0 or -errno. */
static int begin(call *c, streams *it, int capacity) {
  uv_loop_t *loop;
  it->places = calloc((size_t)capacity, sizeof *it->places);
  if (it->places == NULL || !keep(c, it)) return -ENOMEM;
  for (int i = 0; i < capacity; i++) it->places[i].next = i + 1 < capacity ? i + 1 : -1;
  it->epoll = epoll_create1(EPOLL_CLOEXEC);
  if (it->epoll < 0) return failure();
  if (napi_get_uv_event_loop(c->env, &loop) != napi_ok) return -EINVAL;
  int error = uv_poll_init(loop, &it->poll, it->epoll);
  if (error < 0) return error;
  it->poll.data = it;
  it->owners++;
  uv_poll_start(&it->poll, UV_READABLE, on_ready);
  uv_unref((uv_handle_t *)&it->poll);
  return 0;
}

/* new Streams(capacity, callback(rows, whether more may wait), buffer: Uint8Array, rows: Uint32Array) */
static napi_value streams_new(napi_env env, napi_callback_info info) {
  call c = {.env = env};
  size_t count = ARGUMENTS;
  if (napi_get_cb_info(env, info, &count, c.arguments, &c.self, NULL) != napi_ok) return NULL;
  int capacity = integer(&c, 0);
  if (!c.wrong && (capacity < 1 || capacity > PLACES_MAX)) refuse(&c, "streams: 1 to 65536 places");
  streams *it = c.wrong ? NULL : calloc(1, sizeof *it);
  if (it == NULL) return NULL;
  *it = (streams){.env = env, .epoll = -1, .owners = 1, .capacity = capacity, .given_back = -1};
  int error = begin(&c, it, capacity);
  if (error == 0 && napi_wrap(env, c.self, it, object_is_collected, NULL, NULL) == napi_ok) {
    napi_add_env_cleanup_hook(env, close_all, it);
    return c.self;
  }
  if (it->epoll >= 0 && error == 0) close_all(it);
  else if (it->epoll >= 0) close(it->epoll);
  disown(it);
  napi_throw_error(env, NULL, "streams: cannot begin");
  return NULL;
}

void define_streams(napi_env env, napi_value exports) {
#define METHOD(js_name, function) {js_name, NULL, function, NULL, NULL, NULL, napi_default_method, NULL}
  const napi_property_descriptor methods[] = {
      METHOD("open", streams_open),     METHOD("write", streams_write), METHOD("end", streams_end),
      METHOD("detach", streams_detach), METHOD("sweep", streams_sweep), METHOD("keepAlive", streams_keep_alive),
  };
  napi_value made;
  if (napi_define_class(env, "Streams", NAPI_AUTO_LENGTH, streams_new, NULL, sizeof methods / sizeof methods[0],
                        methods, &made) == napi_ok)
    napi_set_named_property(env, exports, "Streams", made);
}
