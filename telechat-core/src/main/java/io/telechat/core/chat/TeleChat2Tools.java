// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat;

import java.util.List;

/**
 * The tools of TeleChat2 and TeleChat3, in the words of the published templates; calls are written as Hermes models write them.
 *
 * @param defaultSystem what goes in front of the tools where there is no other system message
 */
record TeleChat2Tools(String defaultSystem) implements ToolFormat {
    @Override
    public String offer(String system, List<String> tools) {
        return (system.isEmpty() ? defaultSystem : system)
                + "\n\n# 可用工具\n你可以调用<tools></tools>标签中包含的一个或多个工具来辅助你回答问题,以下是可用工具详情：\n<tools>\n"
                + String.join("\n", tools)
                + "\n"
                + "</tools>\n\n"
                + "# 调用方法\n"
                + "你需要遵循工具的要求，使用json格式返回工具名称及参数，并用<tool_call></tool_call>包含。下方是一个调用模板：\n"
                + "<tool_call>\n"
                + "{\"name\": <function-name>, \"arguments\": <args-json-object>}\n"
                + "</tool_call>\n";
    }

    @Override
    public String call(String content, List<String> calls) {
        StringBuilder text = new StringBuilder(content);
        for (String call : calls) {
            text.append(text.isEmpty() ? "" : "\n")
                    .append("<tool_call>\n")
                    .append(call)
                    .append("\n</tool_call>");
        }
        return text.toString();
    }
}
