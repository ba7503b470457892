#include "tgsp/policy.h"

#include "util/try.h"

static bool
window_fails(const struct tgsp_manifest *m, const struct tg_policy *p, struct tg_error *err)
{
	if (m->has_not_before && (p->now < 0 || (uint64_t)p->now < m->not_before)) {
		(void)tg_fail(err, TG_E_POLICY, "not valid before %llu (it is %lld)",
		    (unsigned long long)m->not_before, (long long)p->now);
		return true;
	}
	if (m->has_not_after && p->now >= 0 && (uint64_t)p->now > m->not_after) {
		(void)tg_fail(err, TG_E_POLICY, "not valid after %llu (it is %lld)",
		    (unsigned long long)m->not_after, (long long)p->now);
		return true;
	}
	return false;
}

static bool
fleet_fails(const struct tgsp_manifest *m, const struct tg_policy *p, struct tg_error *err)
{
	if (m->n_fleets == 0)
		return false;
	for (size_t i = 0; p->fleet != NULL && i < m->n_fleets; i++)
		if (strcmp(m->fleets[i], p->fleet) == 0)
			return false;
	(void)tg_fail(err, TG_E_POLICY, "for %s%s%s, and this is %s%s", "fleet ", m->fleets[0],
	    m->n_fleets > 1 ? " and others" : "", p->fleet == NULL ? "no fleet" : "fleet ",
	    p->fleet == NULL ? " (give --fleet)" : p->fleet);
	return true;
}

static bool
floor_fails(const struct tgsp_manifest *m, const struct tg_policy *p, struct tg_error *err)
{
	if (m->rollback_index >= p->floor)
		return false;
	(void)tg_fail(err, TG_E_POLICY, "rollback_index %llu is below %llu, which was here before",
	    (unsigned long long)m->rollback_index, (unsigned long long)p->floor);
	return true;
}

static bool
agent_fails(const struct tgsp_manifest *m, const struct tg_policy *p, struct tg_error *err)
{
	uint16_t have[3] = { 0 };

	if (m->min_agent_version == NULL)
		return false;
	if (p->agent_version == NULL ||
	    tgsp_version_parse(p->agent_version, "agent version", have, err) != TG_OK)
		memset(have, 0, sizeof(have));
	for (int i = 0; i < 3; i++) {
		if (have[i] > m->min_agent[i])
			return false;
		if (have[i] < m->min_agent[i]) {
			(void)tg_fail(err, TG_E_POLICY, "needs version %s, this is %s",
			    m->min_agent_version,
			    p->agent_version == NULL ? "unknown" : p->agent_version);
			return true;
		}
	}
	return false;
}

unsigned
tgsp_policy_check(const struct tgsp_manifest *m, const struct tg_policy *p, struct tg_error *err)
{
	static const struct {
		enum tg_policy_check bit;
		bool (*fails)(const struct tgsp_manifest *, const struct tg_policy *,
		    struct tg_error *);
	} checks[] = {
		{ TG_POLICY_WINDOW, window_fails },
		{ TG_POLICY_FLEET, fleet_fails },
		{ TG_POLICY_FLOOR, floor_fails },
		{ TG_POLICY_AGENT_VERSION, agent_fails },
	};
	unsigned failed = 0;

	for (size_t i = 0; i < TG_LEN(checks); i++)
		if (checks[i].fails(m, p, failed == 0 ? err : NULL))
			failed |= checks[i].bit;
	return failed;
}
