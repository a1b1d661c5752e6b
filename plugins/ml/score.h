/* score.h: ec.score/1, what a model thinks of a finished flow and why; and the alert that a score above the threshold
 * raises. */
#ifndef ML_SCORE_H
#define ML_SCORE_H
#include "plugins/ml/sdk.h"

#include "plugins/ml/model.h"

enum { SCORE_SID = 1, SCORE_REV = 1 };      /* with EC_ALERT_GID_SCORE */

struct score_out {
    const struct ec_host *host;
    const struct ec_traffic *traffic;
    void *traffic_self;
    uint32_t topic, alert;          /* ids; alert 0: nobody declared that topic */
};

int32_t score_topic(struct score_out *o);           /* [ctl] in setup(): declare ec.score/1 */
/* [wrk] Publish what m says of f. false: lost, which the host has counted. */
bool score_publish(const struct score_out *o, uint32_t worker, struct ec_flow *f, const struct model *m,
                   const struct verdict *v, double threshold);
/* [wrk] The alert, with the score and the flow in it. */
bool score_alert(const struct score_out *o, uint32_t worker, struct ec_flow *f, const struct model *m,
                 const struct verdict *v, double threshold);

#endif
