// SPDX-License-Identifier: GPL-2.0-only
/* The cheapest end of a flood: what a gateway under one is compared with. */
__attribute__((section("xdp.frags"), used)) int drop(void *context)
{
	(void)context;
	return 1; /* XDP_DROP */
}

__attribute__((section("license"), used)) static const char terms[] = "GPL";
