// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat;

import io.telechat.core.InvalidRequestException;
import java.util.List;
import java.util.Optional;

/**
 * Tools as a checkpoint's template offers them, where it does so in the system message, and has them called as Hermes models do:
 * Qwen2.5's and Qwen3's. The system message is what the template writes with tools, and can then be rendered without them.
 */
final class JinjaTools implements ToolFormat {
    private static final ChatMessage SYSTEM = ChatMessage.system("the-system");
    private static final ChatMessage QUESTION = ChatMessage.user("the-question");
    private static final String SAMPLE =
            "{\"type\": \"function\", \"function\": {\"name\": \"f\", \"description\": \"d\", \"parameters\":"
                    + " {\"type\": \"object\", \"properties\": {}}}}";

    private final JinjaRendering rendering;
    private final String before;
    private final String behind;

    private JinjaTools(JinjaRendering rendering, String before, String behind) {
        this.rendering = rendering;
        this.before = before;
        this.behind = behind;
    }

    /** Empty where the template offers no tools, or in another way. */
    static Optional<ToolFormat> of(JinjaRendering rendering) {
        try {
            String plain = rendering.prompt(List.of(SYSTEM, QUESTION));
            int system = plain.indexOf(SYSTEM.content());
            if (system < 0) {
                return Optional.empty();
            }
            JinjaTools tools = new JinjaTools(
                    rendering,
                    plain.substring(0, system),
                    plain.substring(system + SYSTEM.content().length()));
            boolean isHermes = tools.offer("s", List.of(SAMPLE)).contains("<tool_call>")
                    && tools.offer("", List.of(SAMPLE)).contains("<tool_call>");
            return isHermes ? Optional.of(tools) : Optional.empty();
        } catch (InvalidRequestException e) {
            return Optional.empty();
        }
    }

    @Override
    public String offer(String system, List<String> tools) {
        List<ChatMessage> messages =
                system.isEmpty() ? List.of(QUESTION) : List.of(ChatMessage.system(system), QUESTION);
        String offered = rendering.promptWithTools(messages, tools);
        if (offered.startsWith(before)
                && offered.endsWith(behind)
                && offered.length() >= before.length() + behind.length()) {
            String text = offered.substring(before.length(), offered.length() - behind.length());
            if (rendering.prompt(List.of(ChatMessage.system(text), QUESTION)).equals(offered)) {
                return text;
            }
        }
        throw new InvalidRequestException("the model's chat template does not offer tools in the system message");
    }

    @Override
    public String call(String content, List<String> calls) {
        return new TeleChat2Tools("").call(content, calls);
    }
}
