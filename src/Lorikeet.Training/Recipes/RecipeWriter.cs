using System.Collections;
using System.Reflection;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Lorikeet.Training;

/// <summary>Writes a recipe with every value, so that a run can be repeated when defaults have changed.</summary>
internal static class RecipeWriter
{
    /// <summary>The recipe as YAML.</summary>
    public static string Write(Recipe recipe)
    {
        StringWriter text = new(Invariant) { NewLine = "\n" };
        Emitter yaml = new(text, new EmitterSettings(bestIndent: 2, bestWidth: int.MaxValue, isCanonical: false, maxSimpleKeyLength: 1024));
        yaml.Emit(new StreamStart());
        yaml.Emit(new DocumentStart(null, null, isImplicit: true));
        Section(yaml, recipe);
        yaml.Emit(new DocumentEnd(isImplicit: true));
        yaml.Emit(new StreamEnd());
        return text.ToString();
    }

    private static void Section(Emitter yaml, object section)
    {
        yaml.Emit(new MappingStart(AnchorName.Empty, TagName.Empty, isImplicit: true, MappingStyle.Block));
        foreach ((string key, PropertyInfo property) in RecipeNames.KeysOf(section.GetType()))
        {
            object? value = property.GetValue(section);
            if (value is null or IList { Count: 0 })
                continue;
            if (property.IsDefined(typeof(RestAttribute)))
            {
                Entries(yaml, (RecipeNode)value);
                continue;
            }
            yaml.Emit(new Scalar(key));
            Value(yaml, value);
        }
        yaml.Emit(new MappingEnd());
    }

    private static void Value(Emitter yaml, object value)
    {
        switch (value)
        {
            case string text:
                // a plain word that YAML reads as nothing would come back as the default
                yaml.Emit(text is "" or "null" or "~" ? Quoted(text) : new Scalar(text));
                break;
            case bool truth:
                yaml.Emit(new Scalar(truth ? "true" : "false"));
                break;
            case Enum choice:
                yaml.Emit(new Scalar(RecipeNames.Of(choice.ToString())));
                break;
            case DateOnly date:
                yaml.Emit(new Scalar(date.ToString(RecipeNames.DateFormat, Invariant)));
                break;
            case IFormattable number:
                yaml.Emit(new Scalar(number.ToString(null, Invariant)));
                break;
            case IEnumerable list:
                yaml.Emit(new SequenceStart(AnchorName.Empty, TagName.Empty, isImplicit: true, SequenceStyle.Block));
                foreach (object item in list)
                    Value(yaml, item);
                yaml.Emit(new SequenceEnd());
                break;
            default:
                Section(yaml, value);
                break;
        }
    }

    private static void Entries(Emitter yaml, RecipeNode map)
    {
        foreach (RecipeEntry entry in map.Entries)
        {
            yaml.Emit(new Scalar(entry.Key));
            Node(yaml, entry.Value);
        }
    }

    private static void Node(Emitter yaml, RecipeNode node)
    {
        switch (node.Kind)
        {
            case RecipeNodeKind.List:
                yaml.Emit(new SequenceStart(AnchorName.Empty, TagName.Empty, isImplicit: true, SequenceStyle.Flow));
                foreach (RecipeNode item in node.Items)
                    Node(yaml, item);
                yaml.Emit(new SequenceEnd());
                break;
            case RecipeNodeKind.Map:
                yaml.Emit(new MappingStart(AnchorName.Empty, TagName.Empty, isImplicit: true, MappingStyle.Flow));
                Entries(yaml, node);
                yaml.Emit(new MappingEnd());
                break;
            default:
                yaml.Emit(node.Quoted ? Quoted(node.Text) : new Scalar(node.IsNull ? "null" : node.Text));
                break;
        }
    }

    private static Scalar Quoted(string text) => new(AnchorName.Empty, TagName.Empty, text, ScalarStyle.DoubleQuoted, false, true);
}
