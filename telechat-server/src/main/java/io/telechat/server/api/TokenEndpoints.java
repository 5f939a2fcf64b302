// SPDX-License-Identifier: Apache-2.0
package io.telechat.server.api;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.chat.ChatTokenizer;
import io.telechat.core.chat.MarkerPolicy;
import io.telechat.core.tokenizer.Tokenizer;
import io.telechat.infer.tools.Tools;

/** {@code POST /tokenize} and {@code POST /detokenize}, as vLLM has them. */
final class TokenEndpoints {
    private final Context context;

    TokenEndpoints(Context context) {
        this.context = context;
    }

    ObjectNode tokenize(Fields request) {
        context.models().of(request);
        int[] ids = request.get("messages").isPresent() ? prompt(request) : text(request);
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.put("count", ids.length);
        json.put("max_model_len", context.model().contextLength());
        ArrayNode tokens = json.putArray("tokens");
        for (int id : ids) {
            tokens.add(id);
        }
        if (request.flag("return_token_strs")) {
            ArrayNode texts = json.putArray("token_strs");
            for (int id : ids) {
                texts.add(context.model().tokenizer().piece(id));
            }
        } else {
            json.putNull("token_strs");
        }
        return json;
    }

    private int[] text(Fields request) {
        String text = request.text("prompt")
                .orElseThrow(() -> ApiException.invalid("prompt", "give either prompt or messages"));
        return context.model().tokenizer().encode(ChatMessages.whole(text));
    }

    private int[] prompt(Fields request) {
        ChatTokenizer tokenizer = context.model().chatTokenizer();
        Tools tools = ChatTools.read(request, tokenizer);
        return tokenizer.prompt(tools.offer(new ChatMessages(tokenizer).read(request), tokenizer), MarkerPolicy.ESCAPE);
    }

    ObjectNode detokenize(Fields request) {
        context.models().of(request);
        JsonNode given = request.get("tokens")
                .filter(JsonNode::isArray)
                .orElseThrow(() -> ApiException.invalid("tokens", "tokens must be a list of token ids"));
        Tokenizer tokenizer = context.model().tokenizer();
        int[] ids = new int[given.size()];
        for (int i = 0; i < ids.length; i++) {
            if (!given.get(i).isInt() || !tokenizer.has(given.get(i).intValue())) {
                throw ApiException.invalid("tokens", "tokens holds %s, which is no token of this model", given.get(i));
            }
            ids[i] = given.get(i).intValue();
        }
        return JsonNodeFactory.instance.objectNode().put("prompt", tokenizer.decode(ids));
    }
}
