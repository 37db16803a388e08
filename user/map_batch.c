// SPDX-License-Identifier: GPL-2.0-or-later
#include "map_batch.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "pins.h"

/* Of the buffer for one batch. */
#define BATCH_BYTES (1 << 20)

struct batch {
	__u32 room; /* entries that fit */
	char *keys, *values;
	/* Where the kernel goes on: a bucket's number, or, for arrays, a key. */
	__u64 position[4];
};

static bool is_per_cpu(__u32 type)
{
	return type == BPF_MAP_TYPE_PERCPU_ARRAY || type == BPF_MAP_TYPE_PERCPU_HASH ||
	       type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}

static int batch_resize(struct batch *batch, __u32 room, size_t key_size, size_t entry_size)
{
	char *keys = reallocarray(batch->keys, room, key_size), *values;

	if (!keys)
		return -ENOMEM;
	batch->keys = keys;
	values = reallocarray(batch->values, room, entry_size);
	if (!values)
		return -ENOMEM;
	batch->values = values;
	batch->room = room;
	return 0;
}

static int read_batches(int fd, struct batch *batch, size_t key_size, size_t entry_size,
			map_each_fn *each, void *arg)
{
	void *from = NULL;
	int err = 0, result = 0;

	/* ENOENT comes with the last entries. */
	while (!err && !result) {
		__u32 count = batch->room;

		result = bpf_map_lookup_batch(fd, from, batch->position, batch->keys, batch->values,
					      &count, NULL);
		/* A bucket of the hash is larger than the batch; nothing was read. */
		if (result == -ENOSPC) {
			result = 0;
			err = batch_resize(batch, 2 * batch->room, key_size, entry_size);
			continue;
		}
		if (result && result != -ENOENT)
			return result;
		for (__u32 i = 0; i < count && !err; i++)
			err = each(arg, batch->keys + i * key_size, batch->values + i * entry_size);
		from = batch->position;
	}
	return err;
}

int map_each(const char *pin_dir, const char *name, size_t key_size, size_t value_size,
	     map_each_fn *each, void *arg)
{
	int fd = pin_open_map(pin_dir, name, value_size), cpus = libbpf_num_possible_cpus(), err;
	struct bpf_map_info info = {0};
	__u32 length = sizeof(info);
	struct batch batch = {0};
	size_t entry_size = value_size;

	if (fd < 0)
		return fd;
	if (bpf_obj_get_info_by_fd(fd, &info, &length) || info.key_size != key_size ||
	    key_size > sizeof(batch.position)) {
		err = -EPROTO;
		goto out;
	}
	if (is_per_cpu(info.type))
		entry_size = cpus * ((value_size + 7) & ~(size_t)7);
	err = batch_resize(&batch, BATCH_BYTES / entry_size + 1, key_size, entry_size);
	if (!err)
		err = read_batches(fd, &batch, key_size, entry_size, each, arg);
out:
	free(batch.keys);
	free(batch.values);
	close(fd);
	return err;
}
