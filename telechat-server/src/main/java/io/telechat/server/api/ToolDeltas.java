// SPDX-License-Identifier: Apache-2.0
package io.telechat.server.api;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.infer.tools.ToolAnswerStream;
import io.telechat.infer.tools.ToolCall;
import java.util.ArrayList;
import java.util.List;

/** An answer, as it comes, in deltas. */
final class ToolDeltas {
    private final ToolAnswerStream answer;
    private int calls;

    ToolDeltas(ToolAnswerStream answer) {
        this.answer = answer;
    }

    List<ObjectNode> add(String text) {
        return deltas(answer.add(text));
    }

    /** What is left at the end. */
    List<ObjectNode> finish() {
        return deltas(answer.finish());
    }

    boolean hasCalls() {
        return answer.hasCalls();
    }

    private List<ObjectNode> deltas(List<ToolAnswerStream.Part> parts) {
        List<ObjectNode> deltas = new ArrayList<>();
        for (ToolAnswerStream.Part part : parts) {
            switch (part) {
                case ToolAnswerStream.Text(String text) -> deltas.add(object().put("content", text));
                case ToolAnswerStream.Call(ToolCall call) -> {
                    // The first delta has id and name, which clients read there only; the second the arguments.
                    deltas.add(delta(json(call, "").put("index", calls)));
                    ObjectNode more = object().put("index", calls++);
                    more.putObject("function").put("arguments", call.arguments());
                    deltas.add(delta(more));
                }
            }
        }
        return deltas;
    }

    private static ObjectNode delta(ObjectNode call) {
        ObjectNode delta = object();
        delta.putArray("tool_calls").add(call);
        return delta;
    }

    private static ObjectNode object() {
        return JsonNodeFactory.instance.objectNode();
    }

    private static ObjectNode json(ToolCall call, String arguments) {
        ObjectNode json = object();
        json.put("id", call.id());
        json.put("type", "function");
        json.putObject("function").put("name", call.name()).put("arguments", arguments);
        return json;
    }

    /** Calls of a whole answer. */
    static ArrayNode whole(List<ToolCall> calls) {
        ArrayNode json = JsonNodeFactory.instance.arrayNode();
        calls.forEach(call -> json.add(json(call, call.arguments())));
        return json;
    }
}
