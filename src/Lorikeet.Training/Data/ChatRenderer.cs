using System.Text.Json.Nodes;
using Lorikeet.Text;

namespace Lorikeet.Training;

/// <summary>Renders conversations of a data set with the model's chat template, with one clock for all of them.</summary>
internal sealed class ChatRenderer(Func<ChatRequest, RenderedChat> render, DateTime now)
{
    /// <summary>The whole conversation.</summary>
    /// <exception cref="TemplateException">The template refuses it.</exception>
    public RenderedChat Whole(ChatRow chat) => render(new ChatRequest { Messages = chat.Messages, Tools = chat.Tools, Now = now });

    /// <summary>Its first messages.</summary>
    /// <param name="chat">The conversation.</param>
    /// <param name="count">How many of its messages.</param>
    /// <param name="answer">Whether the text ends where the assistant's answer begins.</param>
    /// <exception cref="TemplateException">The template refuses it.</exception>
    public RenderedChat First(ChatRow chat, int count, bool answer)
    {
        JsonArray messages = [.. chat.Messages.Take(count).Select(message => message!.DeepClone())];
        return render(new ChatRequest { Messages = messages, Tools = chat.Tools, AddGenerationPrompt = answer, Now = now });
    }
}
