/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nftables in this network namespace, by its own language. */
#ifndef ZT6_NFT_H
#define ZT6_NFT_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the kernel has nf_tables; may load its module. 1, 0, or -errno: -EPERM without
 * CAP_NET_ADMIN. */
int nft_supported(void);

/**
 * nft_run - run commands as one transaction: all of them take effect at once, or none.
 * @output: what they print, to be freed; NULL: nothing is wanted
 * @errors: what nftables says when it fails, to be freed; may be NULL then, too
 *
 * Only where nft_supported(): the library ends the process where it finds no netfilter. Returns 0,
 * -ENOMEM, or -EINVAL when nftables or the kernel refuses.
 */
int nft_run(const char *commands, char **output, char **errors);

/**
 * nft_listing - the tables of a name, of family ip6 and ip, as the kernel has them.
 * @out: the text without counts and handles, the same as long as nobody changes them; to be freed.
 *	NULL: there is none
 *
 * Returns 0 or -errno.
 */
int nft_listing(const char *table, char **out);

struct nft_chain {
	char name[160]; /* "FAMILY TABLE CHAIN" */
	bool drops;     /* its policy */
	bool has_rules;
};

/**
 * nft_forward_chains - the base chains that see forwarded IPv6 packets.
 * @ours: name of tables to leave out
 * @out: an array of *@count, to be freed
 *
 * Returns 0, -EPERM, -EOPNOTSUPP without nf_tables, or another error.
 */
int nft_forward_chains(const char *ours, struct nft_chain **out, size_t *count);

#endif
