using Lorikeet.Text;

namespace Lorikeet.Training;

/// <summary>
/// Makes tokens of rows. Prompt and completion are cut into tokens apart from each other, so that the prompt's tokens are those that the model
/// is given when it is used, and the model's end token follows the completion. A conversation is rendered by the model's chat template
/// and cut as a whole.
/// </summary>
public sealed class ExampleEncoder
{
    private readonly Tokenizer _tokenizer;
    private readonly LossOn? _lossOn;
    private readonly int _end;
    private readonly int[] _begin;
    private readonly ChatRenderer? _render;
    private readonly AssistantSpans? _spans;

    /// <summary>An encoder for one model and one recipe.</summary>
    /// <param name="tokenizer">The model's tokenizer.</param>
    /// <param name="render">Renders conversations (<see cref="ChatTemplate.Render"/> with the model's special tokens), or null where the model has no chat template.</param>
    /// <param name="endId">The token that ends a completion or a text: what the model stops at.</param>
    /// <param name="lossOn">What counts in the loss; null for what suits each kind of row.</param>
    /// <param name="now">
    /// What templates take for the present; the clock when null. A run that goes on later must give the same, or its data changes; some templates write the date into every
    /// conversation.
    /// </param>
    public ExampleEncoder(Tokenizer tokenizer, Func<ChatRequest, RenderedChat>? render, int endId, LossOn? lossOn, DateTime? now = null)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        _tokenizer = tokenizer;
        _lossOn = lossOn;
        _end = endId;
        _render = render is null ? null : new ChatRenderer(render, now ?? DateTime.Now);
        _spans = _render is null ? null : new AssistantSpans(_render, tokenizer);
        // what the tokenizer puts before a text; what it puts after one is left to us
        TokenizedText probe = tokenizer.Encode("a");
        _begin = [.. probe.Ids.TakeWhile((_, i) => probe.SpecialMask[i])];
    }

    /// <summary>Whether conversations can be rendered.</summary>
    public bool HasChatTemplate => _render is not null;

    /// <summary>The tokens of a row and which of them count; null (with a problem) where the row cannot be used.</summary>
    public TrainingExample? Encode(DataRow row, ProblemList problems)
    {
        ArgumentNullException.ThrowIfNull(row);
        ArgumentNullException.ThrowIfNull(problems);
        try
        {
            return Tokens(row, problems);
        }
        catch (Exception failure) when (failure is TemplateException or TokenizerException)
        {
            return Refuse(row, problems, failure.Message.TrimEnd('.'));
        }
    }

    private TrainingExample? Tokens(DataRow row, ProblemList problems)
    {
        switch (row)
        {
            case TextRow text:
                if (_lossOn is LossOn.Completion or LossOn.Assistant)
                    return Refuse(row, problems, $"found running text, which has no {(_lossOn == LossOn.Completion ? "completion" : "assistant")}; remove data.loss_on, or give rows with a prompt and a completion");
                return TrainingExample.Whole(text.Text.Length == 0 ? [] : [.. _begin, .. Ids(text.Text), _end]);
            case PromptRow prompt:
                if (_lossOn == LossOn.Assistant)
                    return Refuse(row, problems, "found a prompt and a completion, which have no assistant; write loss_on: completion, or as_chat: true for the file");
                int[] given = Prompt(prompt.Prompt);
                int[] learned = [.. Ids(prompt.Completion), _end];
                return _lossOn == LossOn.All ? TrainingExample.Whole([.. given, .. learned]) : TrainingExample.Completion(given, learned);
            default:
                return Chat((ChatRow)row, problems);
        }
    }

    /// <summary>The tokens of a prompt as rows of prompt and completion have it.</summary>
    public int[] Prompt(string text) => [.. _begin, .. Ids(text)];

    /// <summary>The tokens that the model is given to answer a row, and the answer that the row has; null where there is none.</summary>
    public (string Prompt, int[] Ids, string Answer)? Question(DataRow row)
    {
        switch (row)
        {
            case PromptRow prompt:
                return (prompt.Prompt, Prompt(prompt.Prompt), prompt.Completion);
            case ChatRow chat when _render is not null:
                int last = chat.Messages.Count - 1;
                while (last > 0 && ChatFields.Role(chat.Messages[last]!.AsObject()) != "assistant")
                    last--;
                string text = _render.First(chat, last, answer: true).Text;
                return (text, Ids(text), chat.Messages[last]!["content"]?.ToString() ?? "");
            default:
                return null;
        }
    }

    /// <summary>The text of an example in stretches that count in the loss and stretches that do not.</summary>
    public IReadOnlyList<(string Text, bool Counts)> Preview(TrainingExample example)
    {
        ArgumentNullException.ThrowIfNull(example);
        List<(string, bool)> stretches = [];
        for (int start = 0; start < example.Length;)
        {
            bool counts = example.Labels[start] != TrainingExample.Ignored;
            int end = start + 1;
            while (end < example.Length && example.Labels[end] != TrainingExample.Ignored == counts)
                end++;
            stretches.Add((_tokenizer.Decode(example.Ids.AsSpan(start, end - start)), counts));
            start = end;
        }
        return stretches;
    }

    /// <summary>
    /// Labels of a text of which only some parts count: all tokens from the one that holds a part's first character to the one that holds
    /// its last.
    /// </summary>
    internal static int[] Labels(TokenizedText text, IReadOnlyList<(int Start, int End)> spans)
    {
        int[] labels = new int[text.Count];
        Array.Fill(labels, TrainingExample.Ignored);
        foreach ((int start, int end) in spans)
        {
            for (int i = 0; i < labels.Length; i++)
            {
                (int from, int to) = text.Offsets[i];
                if (from < end && to > start)
                    labels[i] = text.Ids[i];
            }
        }
        return labels;
    }

    private TrainingExample? Chat(ChatRow chat, ProblemList problems)
    {
        if (_spans is null)
            return Refuse(chat, problems, "found a conversation, but the model has no chat template; give model.chat_template");
        if (_lossOn == LossOn.All)
            return TrainingExample.Whole(Ids(_render!.Whole(chat).Text));
        (string text, List<(int, int)> spans, string? problem) = _spans.Find(chat, lastOnly: _lossOn == LossOn.Completion);
        if (problem is not null)
            return Refuse(chat, problems, problem);
        TokenizedText tokens = _tokenizer.Encode(text, addSpecial: false);
        return new TrainingExample(tokens.Ids, Labels(tokens, spans));
    }

    private int[] Ids(string text) => _tokenizer.EncodeIds(text, addSpecial: false);

    private static TrainingExample? Refuse(DataRow row, ProblemList problems, string problem)
    {
        problems.Add($"{row.Origin}: {problem}.");
        return null;
    }
}
