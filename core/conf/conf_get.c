#include "core/conf/conf_impl.h"

static const struct conf_value *value_at(const struct ec_conf *c, const char *name, uint32_t i,
                                         const struct conf_slot **slot)
{
    *slot = conf_slot_find(c, name);
    return *slot && i < (*slot)->n ? &(*slot)->value[i] : NULL;
}

int32_t conf_num(const struct ec_conf *c, const char *name, uint32_t i, int64_t *v)
{
    const struct conf_slot *slot;
    const struct conf_value *value = value_at(c, name, i, &slot);

    if (!slot || !row_is_numeric(slot->row))
        return EC_EINVAL;
    if (!value)
        return EC_ENOENT;
    *v = value->v.num;
    return EC_OK;
}

int32_t conf_f64(const struct ec_conf *c, const char *name, uint32_t i, double *v)
{
    const struct conf_slot *slot;
    const struct conf_value *value = value_at(c, name, i, &slot);

    if (!slot || (slot->row->type != EC_T_F64 && !row_is_numeric(slot->row)))
        return EC_EINVAL;
    if (!value)
        return EC_ENOENT;
    *v = slot->row->type == EC_T_F64 ? value->v.f64 : (double)value->v.num;
    return EC_OK;
}

const char *conf_text(const struct ec_conf *c, const char *name, uint32_t i)
{
    const struct conf_slot *slot;
    const struct conf_value *value = value_at(c, name, i, &slot);

    return value ? value->text : NULL;
}

const char *conf_key(const struct ec_conf *c, const char *name, uint32_t i)
{
    const struct conf_slot *slot;
    const struct conf_value *value = value_at(c, name, i, &slot);

    return value ? value->key : NULL;
}

uint32_t conf_count(const struct ec_conf *c, const char *name)
{
    const struct conf_slot *slot = conf_slot_find(c, name);

    return slot ? slot->n : 0;
}

const char *conf_where(const struct ec_conf *c, const char *name, uint32_t i)
{
    const struct conf_slot *slot;
    const struct conf_value *value = value_at(c, name, i, &slot);

    return value ? value->where : slot ? slot->where : "";
}
