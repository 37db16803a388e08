// SPDX-License-Identifier: GPL-2.0-or-later
#include "maps.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

static int update(int fd, const void *key, const void *value)
{
	return bpf_map_update_elem(fd, key, value, BPF_ANY) ? -errno : 0;
}

static int write_settings(const struct map_fds *fds, const struct model *model)
{
	struct zt6_settings settings = model->settings, current;
	__u32 zero = 0;

	if (bpf_map_lookup_elem(fds->settings, &zero, &current))
		return -errno;
	settings.hash_seed = current.hash_seed;
	if (!settings.hash_seed &&
	    getrandom(&settings.hash_seed, sizeof(settings.hash_seed), 0) < 0)
		return -errno;
	return update(fds->settings, &zero, &settings);
}

static int clear_counters(int fd, __u32 slot)
{
	int cpus = libbpf_num_possible_cpus();
	void *zeroes;
	int err;

	if (cpus < 0)
		return cpus;
	zeroes = calloc(cpus, sizeof(struct zt6_port_counters));
	if (!zeroes)
		return -ENOMEM;
	err = update(fd, &slot, zeroes);
	free(zeroes);
	return err;
}

static int write_device(int fd, __u32 slot, const struct zt6_port *port)
{
	if ((port->paths & ZT6_PATH_XDP_XMIT) && port->ifindex)
		return update(fd, &slot, &port->ifindex);
	return bpf_map_delete_elem(fd, &slot) && errno != ENOENT ? -errno : 0;
}

static int write_port(const struct map_fds *fds, __u32 slot, const struct zt6_port *port)
{
	struct zt6_port current;
	int err = 0;

	if (bpf_map_lookup_elem(fds->ports, &slot, &current))
		return -errno;
	if (strncmp(current.name, port->name, sizeof(current.name)))
		err = clear_counters(fds->counters, slot);
	if (!err)
		err = update(fds->ports, &slot, port);
	return err ? err : write_device(fds->devices, slot, port);
}

/* Whether one of @count entries of @size bytes begins with @key. */
static bool listed(const void *entries, size_t count, size_t size, const void *key, size_t key_size)
{
	for (size_t i = 0; i < count; i++)
		if (!memcmp((const char *)entries + i * size, key, key_size))
			return true;
	return false;
}

/* Deletes what is in the trie and not in the list. */
static int delete_unlisted(int fd, const void *entries, size_t count, size_t size, size_t key_size)
{
	char key[sizeof(struct zt6_rule_key)], next[sizeof(key)];
	bool more = !bpf_map_get_next_key(fd, NULL, key);

	while (more) {
		more = !bpf_map_get_next_key(fd, key, next);
		if (!listed(entries, count, size, key, key_size) && bpf_map_delete_elem(fd, key) &&
		    errno != ENOENT)
			return -errno;
		memcpy(key, next, sizeof(key));
	}
	return 0;
}

/* Whether an entry that the model does not list shall stay. */
static bool keeps_binding(const struct model *model, const struct zt6_binding_key *key,
			  const struct zt6_binding *binding)
{
	return binding->source == ZT6_BINDING_CONTROLLER && key->port < ZT6_MAX_PORTS &&
	       model->ports[key->port].network;
}

static int write_bindings(int fd, const struct model *model)
{
	struct zt6_binding_key key, next;
	struct zt6_binding binding;
	bool more;
	int err = 0;

	for (size_t i = 0; i < model->binding_count && !err; i++)
		err = update(fd, &model->bindings[i].key, &model->bindings[i].value);
	if (err)
		return err;
	more = !bpf_map_get_next_key(fd, NULL, &key);
	while (more) {
		more = !bpf_map_get_next_key(fd, &key, &next);
		if (!listed(model->bindings, model->binding_count, sizeof(*model->bindings), &key,
			    sizeof(key)) &&
		    !bpf_map_lookup_elem(fd, &key, &binding) &&
		    !keeps_binding(model, &key, &binding) && bpf_map_delete_elem(fd, &key) &&
		    errno != ENOENT)
			return -errno;
		key = next;
	}
	return 0;
}

struct zt6_agent *maps_share_agent(int fd)
{
	void *shared = mmap(NULL, getpagesize(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return shared == MAP_FAILED ? NULL : shared;
}

void maps_unshare_agent(struct zt6_agent *shared)
{
	if (shared)
		munmap(shared, getpagesize());
}

static int bump_generation(int fd)
{
	struct zt6_agent *shared = maps_share_agent(fd);

	if (!shared)
		return -errno;
	__atomic_add_fetch(&shared->generation, 1, __ATOMIC_RELEASE);
	maps_unshare_agent(shared);
	return 0;
}

int maps_write(const struct map_fds *fds, const struct model *model)
{
	int err = write_settings(fds, model);

	for (size_t i = 0; i < model->prefix_count && !err; i++)
		err = update(fds->prefixes, &model->prefixes[i].key, &model->prefixes[i].value);
	for (size_t i = 0; i < model->rule_count && !err; i++)
		err = update(fds->rules, &model->rules[i].key, &model->rules[i].value);
	/* Before the ports, which say whether they are looked at. */
	if (!err)
		err = write_bindings(fds->bindings, model);
	for (__u32 slot = 0; slot < ZT6_MAX_PORTS && !err; slot++)
		err = write_port(fds, slot, &model->ports[slot]);
	if (!err)
		err = delete_unlisted(fds->prefixes, model->prefixes, model->prefix_count,
				      sizeof(*model->prefixes), sizeof(struct zt6_prefix_key));
	if (!err)
		err = delete_unlisted(fds->rules, model->rules, model->rule_count,
				      sizeof(*model->rules), sizeof(struct zt6_rule_key));
	return err ? err : bump_generation(fds->agent);
}

/*
 * Appends all of a trie to an array of entries that begin with the key, the value behind it.
 * @size: of an entry, bytes
 */
static int read_trie(int fd, size_t size, size_t key_size, void **list, size_t *count)
{
	char key[sizeof(struct zt6_rule_key)];
	const void *last = NULL;
	char *grown, *entry;

	while (!bpf_map_get_next_key(fd, last, key)) {
		last = key;
		grown = reallocarray(*list, *count + 1, size);
		if (!grown)
			return -ENOMEM;
		*list = grown;
		entry = grown + *count * size;
		memcpy(entry, key, key_size);
		if (!bpf_map_lookup_elem(fd, key, entry + key_size))
			(*count)++;
	}
	return errno == ENOENT ? 0 : -errno;
}

int maps_read(const struct map_fds *fds, struct model *model)
{
	__u32 zero = 0;
	void *list;
	int err;

	if (bpf_map_lookup_elem(fds->settings, &zero, &model->settings))
		return -errno;
	for (__u32 slot = 0; slot < ZT6_MAX_PORTS; slot++)
		if (bpf_map_lookup_elem(fds->ports, &slot, &model->ports[slot]))
			return -errno;
	list = model->prefixes;
	err = read_trie(fds->prefixes, sizeof(*model->prefixes), sizeof(struct zt6_prefix_key),
			&list, &model->prefix_count);
	model->prefixes = list;
	if (err)
		return err;
	list = model->rules;
	err = read_trie(fds->rules, sizeof(*model->rules), sizeof(struct zt6_rule_key), &list,
			&model->rule_count);
	model->rules = list;
	if (err)
		return err;
	list = model->bindings;
	err = read_trie(fds->bindings, sizeof(*model->bindings), sizeof(struct zt6_binding_key),
			&list, &model->binding_count);
	model->bindings = list;
	return err;
}
