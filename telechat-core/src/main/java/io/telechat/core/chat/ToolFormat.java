// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat;

import java.util.List;
import java.util.Set;

/** How a chat format offers tools to the model, and writes down the calls that it makes. */
public interface ToolFormat {
    /** What offers, calls and results are written with, of which a tokenizer may have tokens. */
    Set<String> MARKS =
            Set.of("<tools>", "</tools>", "<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>");

    /**
     * A system message that offers tools.
     *
     * @param system what else it says; may be empty
     * @param tools one JSON schema each
     */
    String offer(String system, List<String> tools);

    /**
     * An assistant's message that calls tools.
     *
     * @param content what it says before; may be empty
     * @param calls one JSON object each, {@code {"name": …, "arguments": {…}}}
     */
    String call(String content, List<String> calls);
}
