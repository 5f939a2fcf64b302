// SPDX-License-Identifier: Apache-2.0
package io.telechat.server.api;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.infer.generation.Generation;

/** Counts of the tokens of a request, whose answers come one by one. A prompt that several answers share counts once. */
final class Usage {
    private static final String DETAILS = "/completion_tokens_details";

    private int promptTokens;
    private int cachedTokens;
    private int completionTokens;
    private int draftedTokens;
    private int acceptedTokens;
    private int thinkingTokens;

    /** @param first whether it is the first answer to its prompt */
    void add(Generation.Usage usage, boolean first) {
        if (first) {
            promptTokens += usage.promptTokens();
            cachedTokens += usage.cachedTokens();
        }
        completionTokens += usage.completionTokens();
        draftedTokens += usage.draftedTokens();
        acceptedTokens += usage.acceptedTokens();
        thinkingTokens += usage.thinkingTokens();
    }

    ObjectNode json() {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.put("prompt_tokens", promptTokens);
        json.put("completion_tokens", completionTokens);
        json.put("total_tokens", promptTokens + completionTokens);
        json.putObject("prompt_tokens_details").put("cached_tokens", cachedTokens);
        if (draftedTokens > 0) {
            json.withObject(DETAILS)
                    .put("accepted_prediction_tokens", acceptedTokens)
                    .put("rejected_prediction_tokens", draftedTokens - acceptedTokens);
        }
        if (thinkingTokens > 0) {
            json.withObject(DETAILS).put("reasoning_tokens", thinkingTokens);
        }
        return json;
    }
}
