// SPDX-License-Identifier: Apache-2.0
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.service.AiServices;
import dev.langchain4j.service.SystemMessage;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.http.HttpRouting;
import io.telechat.infer.ChatModel;
import io.telechat.langchain4j.TelechatChatModel;
import java.nio.file.Path;
import java.util.List;

/** A service with an assistant inside: {@code Service DIR PORT}, then {@code curl 'http://127.0.0.1:PORT/ask?q=Hello!'}. */
public final class Service {
    interface Assistant {
        @SystemMessage("Be brief.")
        String answer(String question);
    }

    public static void main(String[] arguments) {
        ChatModel model = ChatModel.load(Path.of(arguments[0])); // closed by the end of the program
        ChatRequestParameters parameters =
                ChatRequestParameters.builder().maxOutputTokens(200).build();
        Assistant assistant = AiServices.create(Assistant.class, new TelechatChatModel(model, parameters, List.of()));
        WebServer server = WebServer.builder()
                .host("127.0.0.1")
                .port(Integer.parseInt(arguments[1]))
                .routing(routing(assistant))
                .build()
                .start();
        System.out.println("listening on port " + server.port());
    }

    private static HttpRouting.Builder routing(Assistant assistant) {
        return HttpRouting.builder()
                .get(
                        "/ask",
                        (request, response) ->
                                response.send(assistant.answer(request.query().get("q"))));
    }
}
