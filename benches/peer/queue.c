/* An accept queue with the layout of the kernel's, for measuring beside: a spin lock, a head, a tail, and a
 * link in each request. Requests come from an array with a free list of its own.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

struct lock {
	uint32_t held;
};

struct request {
	struct request *dl_next;
	uint32_t refs;
	uint32_t generation;
	uint32_t state;
	uint64_t child[4];
	/* What a request has besides: links, a timer, the ends of the connection. */
	uint64_t rest[20];
};

struct queue {
	struct lock rskq_lock;
	struct request *head;
	struct request *tail;
	uint32_t ack_backlog;
	uint32_t max_ack_backlog;
};

struct slab {
	struct lock lock;
	struct request *free;
	struct request *requests;
};

static inline void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#endif
}

static inline void lock(struct lock *lock)
{
	for (;;) {
		uint32_t free = 0;

		if (__atomic_compare_exchange_n(&lock->held, &free, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			return;
		while (__atomic_load_n(&lock->held, __ATOMIC_RELAXED))
			relax();
	}
}

static inline void unlock(struct lock *lock)
{
	__atomic_store_n(&lock->held, 0, __ATOMIC_RELEASE);
}

struct queue *peer_queue(uint32_t backlog)
{
	struct queue *queue = calloc(1, sizeof(*queue));

	if (queue)
		queue->max_ack_backlog = backlog;
	return queue;
}

struct slab *peer_slab(size_t room)
{
	struct slab *slab = calloc(1, sizeof(*slab));
	struct request *requests = calloc(room, sizeof(*requests));

	if (!slab || !requests) {
		free(slab);
		free(requests);
		return NULL;
	}
	slab->requests = requests;
	for (size_t i = room; i > 0; i--) {
		requests[i - 1].dl_next = slab->free;
		slab->free = &requests[i - 1];
	}
	return slab;
}

void peer_free(struct queue *queue, struct slab *slab)
{
	free(queue);
	free(slab->requests);
	free(slab);
}

/* Takes a request for the connection in `child`. */
struct request *peer_alloc(struct slab *slab, const uint64_t child[4])
{
	struct request *request;

	lock(&slab->lock);
	request = slab->free;
	if (request)
		slab->free = request->dl_next;
	unlock(&slab->lock);
	if (!request)
		return NULL;
	for (int i = 0; i < 4; i++)
		request->child[i] = child[i];
	request->state = 1;
	__atomic_store_n(&request->refs, 1, __ATOMIC_RELEASE);
	return request;
}

/* Puts a request, whose connection goes to `child`. */
void peer_put(struct slab *slab, struct request *request, uint64_t child[4])
{
	for (int i = 0; i < 4; i++)
		child[i] = request->child[i];
	if (__atomic_fetch_sub(&request->refs, 1, __ATOMIC_ACQ_REL) != 1)
		return;
	request->state = 0;
	request->generation++;
	lock(&slab->lock);
	request->dl_next = slab->free;
	slab->free = request;
	unlock(&slab->lock);
}

/* Adds a request, if there is room. */
bool peer_push(struct queue *queue, struct request *request)
{
	bool added = false;

	lock(&queue->rskq_lock);
	if (queue->ack_backlog <= queue->max_ack_backlog) {
		request->state = 2;
		request->dl_next = NULL;
		if (queue->head)
			queue->tail->dl_next = request;
		else
			queue->head = request;
		queue->tail = request;
		__atomic_store_n(&queue->ack_backlog, queue->ack_backlog + 1, __ATOMIC_RELAXED);
		added = true;
	}
	unlock(&queue->rskq_lock);
	return added;
}

struct request *peer_pop(struct queue *queue)
{
	struct request *request;

	lock(&queue->rskq_lock);
	request = queue->head;
	if (request) {
		__atomic_store_n(&queue->ack_backlog, queue->ack_backlog - 1, __ATOMIC_RELAXED);
		queue->head = request->dl_next;
		if (!queue->head)
			queue->tail = NULL;
		request->state = 3;
	}
	unlock(&queue->rskq_lock);
	return request;
}
