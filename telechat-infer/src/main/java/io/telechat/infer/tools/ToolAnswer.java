// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.tools;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The calls in an answer, {@code <tool_call>{"name": …, "arguments": {…}}</tool_call>} as Hermes models write them, and what is said
 * beside them. What looks like a call and is none stays text.
 */
public record ToolAnswer(String content, List<ToolCall> calls) {
    static final String OPEN = "<tool_call>";
    static final String CLOSE = "</tool_call>";

    public ToolAnswer {
        calls = List.copyOf(calls);
    }

    /** @param names of the functions there are */
    static ToolAnswer parse(String text, Set<String> names) {
        StringBuilder content = new StringBuilder();
        List<ToolCall> calls = new ArrayList<>();
        int at = 0;
        for (int open = text.indexOf(OPEN); open >= 0; open = text.indexOf(OPEN, at)) {
            int close = text.indexOf(CLOSE, open);
            int end = close < 0 ? text.length() : close;
            Optional<ToolCall> call = ToolCall.read(text.substring(open + OPEN.length(), end), names);
            int next = close < 0 ? text.length() : close + CLOSE.length();
            content.append(text, at, call.isPresent() ? open : next);
            call.ifPresent(calls::add);
            at = next;
        }
        content.append(text.substring(at));
        return new ToolAnswer(calls.isEmpty() ? text : content.toString().stripTrailing(), calls);
    }
}
