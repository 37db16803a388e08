/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ndppd_values.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HOST_BITS 128

static const char digits[] = "0123456789";

bool ndppd_bool(const char *value)
{
	return !strcasecmp(value, "yes") || !strcasecmp(value, "true");
}

bool ndppd_means_yes(const char *value)
{
	static const char *const words[] = {"yes", "true", "on", "1", "enable", "enabled", "y"};
	size_t length = strcspn(value, ";,");

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (length == strlen(words[i]) && !strncasecmp(value, words[i], length))
			return true;
	return false;
}

int32_t ndppd_int(const char *value)
{
	long number = strtol(value, NULL, 10);

	if (number > INT32_MAX)
		return INT32_MAX;
	return number < INT32_MIN ? INT32_MIN : (int32_t)number;
}

bool ndppd_is_number(const char *value)
{
	return *value && strspn(value, digits) == strlen(value);
}

const char *ndppd_address(const char *value, struct prefix *out)
{
	size_t length = strspn(value, "0123456789abcdefABCDEF:");
	char addr[INET6_ADDRSTRLEN];
	const char *bits = value + length + 1;
	size_t bits_length;

	*out = (struct prefix){.len = HOST_BITS};
	if (length >= sizeof(addr) || (value[length] && value[length] != '/'))
		return "no IPv6 address that ndppd reads, which makes it ::/128";
	memcpy(addr, value, length);
	addr[length] = '\0';
	if (inet_pton(AF_INET6, addr, &out->addr) != 1) {
		*out = (struct prefix){.len = HOST_BITS};
		return "no IPv6 address that ndppd reads, which makes it ::/128";
	}
	if (!value[length])
		return NULL;
	bits_length = strspn(bits, digits);
	if (bits[bits_length] || bits_length > 4)
		return "a length that ndppd does not read, which makes it /128";
	out->len = (uint8_t)(strtoul(bits, NULL, 10) > HOST_BITS ? HOST_BITS
								 : strtoul(bits, NULL, 10));
	if (!bits_length)
		return "without a length behind the slash, which ndppd makes /0: every address";
	return strtoul(bits, NULL, 10) > HOST_BITS ? "a length above 128, which ndppd makes /128"
						   : NULL;
}
