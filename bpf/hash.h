/* SPDX-License-Identifier: GPL-2.0-only */
/* Hashes by which entries of arrays are found. */
#ifndef ZT6_HASH_H
#define ZT6_HASH_H

static __always_inline __u64 hash_mix(__u64 hash, __u64 value)
{
	hash = (hash ^ value) * 0x9e3779b97f4a7c15ULL; /* 2^64 / golden ratio, odd */
	return hash ^ hash >> 32;
}

/* A product's high bits depend on all bits of its factors, its low bits only on theirs: what is
 * to choose among a power of two of things comes from above. */
static __always_inline __u32 hash_index(__u64 hash)
{
	return hash * 0x9e3779b97f4a7c15ULL >> 32;
}

/* NH (Black et al., UMAC, 1999) on words: products of sums with secrets, which do not wait for each
 * other. */
static __always_inline __u32 flow_hash(const struct zt6_settings *settings,
				       const union zt6_flow_key *key)
{
	__u64 seed = settings->hash_seed;
	__u64 hash = (key->words[0] + seed) * (key->words[1] + (seed << 17 | seed >> 47));

	hash += (key->words[2] + (seed << 29 | seed >> 35)) *
		(key->words[3] + (seed << 41 | seed >> 23));
	return hash_index(hash ^ hash >> 32 ^ (key->words[4] + seed) * 0x9e3779b97f4a7c15ULL);
}

/* Of `flows`, by flow_hash(). */
static __always_inline __u32 flow_set_index(const struct zt6_settings *settings, __u32 hash)
{
	return (__u64)hash * settings->flow_sets >> 32;
}

#endif
