// SPDX-License-Identifier: Apache-2.0
package io.telechat.server.api;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.infer.generation.GenerationOptions;
import java.util.Optional;

/**
 * How long a model may think before its answer: {@code max_thinking_tokens}, or, for clients that know Qwen's switch, {@code
 * chat_template_kwargs: {"enable_thinking": false}}, which is the same as 0. Where the model does not think, they change nothing.
 */
record ThinkingFields(Fields request) {
    GenerationOptions over(GenerationOptions options) {
        Optional<Integer> most =
                request.count("max_thinking_tokens", 0, Integer.MAX_VALUE).or(this::none);
        return most.map(options::withMaxThinkingTokens).orElse(options);
    }

    private Optional<Integer> none() {
        return request.get("chat_template_kwargs").flatMap(value -> {
            if (!(value instanceof ObjectNode object)) {
                throw ApiException.invalid("chat_template_kwargs", "chat_template_kwargs must be an object");
            }
            Fields switches = new Fields(object);
            boolean isOff = switches.get("enable_thinking").isPresent() && !switches.flag("enable_thinking");
            return isOff ? Optional.of(0) : Optional.empty();
        });
    }
}
