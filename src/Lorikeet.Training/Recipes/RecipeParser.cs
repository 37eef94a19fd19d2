using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Lorikeet.Training;

/// <summary>
/// Reads YAML into <see cref="RecipeNode"/>s. Recipes are data that people exchange, so what YAML can do beyond maps, lists and plain values
/// (anchors, aliases, tags, several documents, merge keys) is refused, and so is a key that occurs twice.
/// </summary>
internal sealed class RecipeParser
{
    private const int LongestText = 1 << 20;
    private const int DeepestNesting = 16;

    private readonly string _source;
    private readonly bool _isOption;
    private readonly RecipeProblems _problems;
    private readonly IParser _events;

    private RecipeParser(string text, string source, bool isOption, RecipeProblems problems)
    {
        _source = source;
        _isOption = isOption;
        _problems = problems;
        _events = new Parser(new StringReader(text));
    }

    /// <summary>The root of a document, or null (with a problem) when it is not YAML at all; an empty document is an empty map.</summary>
    /// <param name="text">YAML.</param>
    /// <param name="source">The name of the file.</param>
    /// <param name="problems">Takes what is wrong.</param>
    public static RecipeNode? Parse(string text, string source, RecipeProblems problems) => Parse(text, source, false, problems);

    /// <summary>The value of a <c>--set</c> option; null when the text is not YAML.</summary>
    /// <param name="text">What stands behind the equals sign.</param>
    /// <param name="option">The whole option, which every problem names.</param>
    /// <param name="problems">Takes what is wrong.</param>
    public static RecipeNode? ParseOption(string text, string option, RecipeProblems problems) => Parse(text, option, true, problems);

    private static RecipeNode? Parse(string text, string source, bool isOption, RecipeProblems problems)
    {
        if (text.Length > LongestText)
        {
            problems.Add(new(source, 0, 0), $"found {text.Length:N0} characters, expected a recipe of at most {LongestText:N0}. Is this the data file?");
            return null;
        }
        RecipeParser? parser = null;
        try
        {
            parser = new RecipeParser(text, source, isOption, problems);
            return parser.Document();
        }
        catch (Exception failure) when (failure is YamlException or InvalidOperationException or ArgumentException)
        {
            Mark mark = (failure as YamlException)?.Start ?? parser?._events.Current?.End ?? new Mark(0, 1, 1);
            // the reader has no words for a list that never ends
            string reason = failure is YamlException ? failure.Message.TrimEnd('.') : "a list, a section or a quoted text begins here and is not closed";
            RecipeLocation place = isOption ? new(source, 0, 0) : new(source, (int)mark.Line, (int)mark.Column);
            problems.Add(place, $"not YAML: {reason}. Indent with spaces, and put texts that hold {{ }} [ ] : or # in quotes.");
            return null;
        }
    }

    private RecipeNode Document()
    {
        _events.Consume<StreamStart>();
        if (_events.Accept<StreamEnd>(out _))
            return new RecipeNode(RecipeNodeKind.Map, new(_source, _isOption ? 0 : 1, 1));
        _events.Consume<DocumentStart>();
        RecipeNode root = Node(0);
        _events.Consume<DocumentEnd>();
        if (!_events.Accept<StreamEnd>(out _))
            _problems.Add(At(_events.Current!.Start), "found a second document, expected one recipe in a file. Remove what follows the line '---'.");
        return root;
    }

    private RecipeNode Node(int depth)
    {
        ParsingEvent next = _events.Current!;
        RecipeLocation place = At(next.Start);
        if (depth > DeepestNesting)
            throw new YamlException(next.Start, next.End, $"nested deeper than {DeepestNesting} levels");
        switch (next)
        {
            case AnchorAlias:
                _events.MoveNext();
                _problems.Add(place, "found an alias (*name), expected the value itself. Write it out: recipes do not use anchors.");
                return new RecipeNode(RecipeNodeKind.Scalar, place);
            case Scalar scalar:
                _events.MoveNext();
                CheckPlain(scalar, place);
                return new RecipeNode(RecipeNodeKind.Scalar, place) { Text = scalar.Value, Quoted = scalar.Style != ScalarStyle.Plain };
            case SequenceStart list:
                _events.MoveNext();
                CheckPlain(list, place);
                RecipeNode items = new(RecipeNodeKind.List, place);
                while (!_events.TryConsume<SequenceEnd>(out _))
                    items.Add(Node(depth + 1));
                return items;
            case MappingStart map:
                _events.MoveNext();
                CheckPlain(map, place);
                return Map(place, depth);
            default:
                throw new YamlException(next.Start, next.End, "expected a value");
        }
    }

    private RecipeNode Map(RecipeLocation place, int depth)
    {
        RecipeNode map = new(RecipeNodeKind.Map, place);
        while (!_events.TryConsume<MappingEnd>(out _))
        {
            RecipeNode key = Node(depth + 1);
            RecipeNode value = Node(depth + 1);
            if (key.Kind != RecipeNodeKind.Scalar)
                _problems.Add(key.Location, $"found a {(key.Kind == RecipeNodeKind.List ? "list" : "map")} as a key, expected a name.");
            else if (map[key.Text] is not null)
                _problems.Add(key.Location, $"{key.Text}: found twice, first at {map.LocationOf(key.Text)}. Keep one of the two.");
            else
                map.Add(new RecipeEntry(key.Text, key.Location, value));
        }
        return map;
    }

    private void CheckPlain(NodeEvent node, RecipeLocation place)
    {
        if (!node.Anchor.IsEmpty)
            _problems.Add(place, $"found an anchor (&{node.Anchor}), expected a plain value. Recipes do not use anchors.");
        if (!node.Tag.IsEmpty && !node.Tag.IsNonSpecific)
            _problems.Add(place, $"found a tag ({node.Tag}), expected a plain value. Recipes do not use tags.");
    }

    private RecipeLocation At(Mark mark) => _isOption ? new(_source, 0, 0) : new(_source, (int)mark.Line, (int)mark.Column);
}
