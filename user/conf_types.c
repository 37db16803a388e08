/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading one value of each type of the configuration. */
#include "conf_keys.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define ZEROTIER_SCHEME "zerotier:" /* of a rule's `iface zerotier:NWID` */
#define NETWORK_DIGITS  16

static const char digits[] = "0123456789";

int conf_value_fault(struct conf_faults *faults, const struct conf_statement *statement,
		     const char *word, const char *format, ...)
{
	char message[FAULT_TEXT_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	faults_add(faults, statement->line, "%s %s: %s", statement->key, QUOTED(word), message);
	return -EINVAL;
}

static void store(void *section, const struct conf_key *key, uint64_t value)
{
	char *field = (char *)section + key->offset;

	switch (key->size) {
	case sizeof(uint8_t):
		*(uint8_t *)field = (uint8_t)value;
		break;
	case sizeof(uint16_t):
		*(uint16_t *)field = (uint16_t)value;
		break;
	case sizeof(uint32_t):
		*(uint32_t *)field = (uint32_t)value;
		break;
	default:
		*(uint64_t *)field = value;
	}
}

/* Words of a fixed set, and switches */

int conf_read_word(struct conf_faults *faults, const struct conf_key *key,
		   const struct conf_statement *statement, void *section)
{
	const char *word = statement->words[0];
	char expects[CONF_EXPECTS_MAX];

	for (size_t i = 0; i < key->value_count; i++) {
		if (key->values[i] && !strcmp(word, key->values[i])) {
			store(section, key, i);
			return 0;
		}
	}
	return conf_value_fault(faults, statement, word, "it takes %s", conf_expects(key, expects));
}

int conf_read_choice(struct conf_faults *faults __attribute__((unused)), const struct conf_key *key,
		     const struct conf_statement *statement __attribute__((unused)), void *section)
{
	store(section, key, key->choice);
	return 0;
}

/* Numbers */

const char *conf_number_parse(const char *text, size_t length, uint64_t *value)
{
	*value = 0;
	for (size_t i = 0; i < length; i++) {
		if (!memchr(digits, text[i], sizeof(digits) - 1))
			return "is not a whole number";
		if (__builtin_mul_overflow(*value, 10, value) ||
		    __builtin_add_overflow(*value, (uint64_t)(text[i] - '0'), value))
			*value = UINT64_MAX;
	}
	if (!length)
		return "is not a whole number";
	return length > 1 && text[0] == '0' ? "has leading zeros: remove them" : NULL;
}

int conf_read_number(struct conf_faults *faults, const struct conf_key *key,
		     const struct conf_statement *statement, void *section)
{
	const char *word = statement->words[0];
	char expects[CONF_EXPECTS_MAX];
	const char *message;
	uint64_t value;

	conf_expects(key, expects);
	message = conf_number_parse(word, strlen(word), &value);
	if (message)
		return conf_value_fault(faults, statement, word, "%s; it takes %s", message,
					expects);
	if (value < key->min || value > key->max)
		return conf_value_fault(faults, statement, word, "is out of range: it takes %s",
					expects);
	store(section, key, value);
	return 0;
}

static const struct unit {
	const char *name;
	unsigned int ms;
} units[] = {{"ms", 1}, {"s", 1000}, {"m", 60 * 1000}};

#define UNIT_COUNT (sizeof(units) / sizeof(units[0]))

/* In the greatest unit that needs no fraction. */
static void duration_format(uint64_t ms, char *out, size_t size)
{
	size_t i = UNIT_COUNT - 1;

	while (ms % units[i].ms)
		i--;
	snprintf(out, size, "%" PRIu64 "%s", ms / units[i].ms, units[i].name);
}

int conf_read_duration(struct conf_faults *faults, const struct conf_key *key,
		       const struct conf_statement *statement, void *section)
{
	const char *word = statement->words[0];
	size_t length = strspn(word, digits), i;
	char expects[CONF_EXPECTS_MAX];
	const char *message;
	uint64_t value;

	conf_expects(key, expects);
	if (!length)
		return conf_value_fault(faults, statement, word,
					"is not a duration: it takes %s, as a whole number and ms, "
					"s or m, such as 500ms",
					expects);
	message = conf_number_parse(word, length, &value);
	if (message)
		return conf_value_fault(faults, statement, word, "%s; it takes %s", message,
					expects);
	if (!word[length])
		return conf_value_fault(faults, statement, word,
					"a duration needs a unit: %.40sms (or s, m)", word);
	for (i = 0; i < UNIT_COUNT && strcmp(word + length, units[i].name) != 0; i++)
		;
	if (i == UNIT_COUNT)
		return conf_value_fault(
			faults, statement, word,
			"a duration is a whole number and ms, s or m, such as 500ms");
	if (__builtin_mul_overflow(value, units[i].ms, &value) || value < key->min ||
	    value > key->max)
		return conf_value_fault(faults, statement, word, "is out of range: it takes %s",
					expects);
	store(section, key, value);
	return 0;
}

int conf_read_rate(struct conf_faults *faults, const struct conf_key *key,
		   const struct conf_statement *statement, void *section)
{
	static const struct {
		const char *name;
		uint64_t bits;
	} scales[] = {{"kbit", 1000}, {"mbit", 1000000}, {"gbit", 1000000000}};
	const char *word = statement->words[0], *message = NULL;
	size_t length = strspn(word, digits), i;
	uint64_t value = 0;

	for (i = 0; i < 3 && strcmp(word + length, scales[i].name) != 0; i++)
		;
	if (!length || i == 3)
		return conf_value_fault(faults, statement, word,
					"is not a rate: it takes %s, as a whole number and kbit, "
					"mbit or gbit per second, such as 50mbit",
					key->expects);
	message = conf_number_parse(word, length, &value);
	if (message)
		return conf_value_fault(faults, statement, word, "%s; it takes %s", message,
					key->expects);
	if (__builtin_mul_overflow(value, scales[i].bits, &value) || value < key->min ||
	    value > key->max)
		return conf_value_fault(faults, statement, word, "is out of range: it takes %s",
					key->expects);
	store(section, key, value);
	return 0;
}

/* Names */

const char *conf_interface_fault(const char *name)
{
	size_t length = strlen(name);

	if (!length || length >= IFNAMSIZ)
		return "the name of an interface has 1 to 15 characters";
	if (!strcmp(name, ".") || !strcmp(name, ".."))
		return "no interface can have this name";
	/* The names of folders in /proc/sys/net/ipv6/conf that are no interface. */
	if (!strcmp(name, "all") || !strcmp(name, "default"))
		return "no interface can have this name: it stands for settings of many";
	/* "%": the kernel takes it for a template of names. */
	if (strpbrk(name, "/:% \t"))
		return "the name of an interface has no \"/\", \":\", \"%\" or blanks";
	return NULL;
}

int conf_read_interface(struct conf_faults *faults, const struct conf_key *key,
			const struct conf_statement *statement, void *section)
{
	const char *name = statement->words[0];
	const char *message = conf_interface_fault(name);

	if (message)
		return conf_value_fault(faults, statement, name, "%s", message);
	snprintf((char *)section + key->offset, key->size, "%s", name);
	return 0;
}

static bool network_parse(const char *text, uint64_t *network)
{
	if (strlen(text) != NETWORK_DIGITS ||
	    strspn(text, "0123456789abcdefABCDEF") != NETWORK_DIGITS)
		return false;
	*network = strtoull(text, NULL, 16);
	return *network != 0;
}

static const char network_expected[] =
	"a ZeroTier network has 16 hexadecimal digits, as \"zerotier-cli listnetworks\" shows";

int conf_read_network(struct conf_faults *faults, const struct conf_key *key,
		      const struct conf_statement *statement, void *section)
{
	uint64_t network;

	if (!network_parse(statement->words[0], &network))
		return conf_value_fault(faults, statement, statement->words[0], "%s",
					network_expected);
	store(section, key, network);
	return 0;
}

int conf_read_iface(struct conf_faults *faults, const struct conf_key *key,
		    const struct conf_statement *statement, void *section)
{
	const char *name = statement->words[0];
	struct conf_rule *rule = section;
	uint64_t network;
	int err;

	if (!strncmp(name, ZEROTIER_SCHEME, strlen(ZEROTIER_SCHEME))) {
		if (!network_parse(name + strlen(ZEROTIER_SCHEME), &network))
			return conf_value_fault(faults, statement, name, "%s", network_expected);
		snprintf(rule->iface, sizeof(rule->iface), ZEROTIER_SCHEME "%016" PRIx64, network);
	} else {
		err = conf_read_interface(faults, key, statement, section);
		if (err)
			return err;
	}
	rule->method = METHOD_IFACE;
	return 0;
}

/* What a key takes, for messages */

static void list_values(const struct conf_key *key, char *out)
{
	size_t left = 0;

	for (size_t i = 0; i < key->value_count; i++)
		left += key->values[i] != NULL;
	for (size_t i = 0; i < key->value_count; i++) {
		if (!key->values[i])
			continue;
		left--;
		out = stpcpy(out, key->values[i]);
		if (left)
			out = stpcpy(out, left > 1 ? ", " : " or ");
	}
}

const char *conf_expects(const struct conf_key *key, char *out)
{
	char from[24], to[24];

	if (key->expects) {
		snprintf(out, CONF_EXPECTS_MAX, "%s", key->expects);
	} else if (key->values) {
		list_values(key, out);
	} else if (key->read == conf_read_number) {
		snprintf(out, CONF_EXPECTS_MAX, "%" PRIu64 " to %" PRIu64 "%s%s%s%s", key->min,
			 key->max, key->unit ? " " : "", key->unit ? key->unit : "",
			 key->keyword ? ", or " : "", key->keyword ? key->keyword : "");
	} else if (key->read == conf_read_duration) {
		duration_format(key->min, from, sizeof(from));
		duration_format(key->max, to, sizeof(to));
		snprintf(out, CONF_EXPECTS_MAX, "%s to %s", from, to);
	} else if (key->read == conf_read_interface) {
		snprintf(out, CONF_EXPECTS_MAX, "the name of an interface");
	} else if (key->read == conf_read_network) {
		snprintf(out, CONF_EXPECTS_MAX,
			 "the id of a ZeroTier network, 16 hexadecimal digits");
	} else {
		snprintf(out, CONF_EXPECTS_MAX, "%s",
			 key->flags & KEY_LIST ? "IPv6 prefixes, such as 2001:db8::/48"
					       : "an IPv6 prefix, such as 2001:db8::/48");
	}
	return out;
}
