namespace Lorikeet.Text;

/// <summary>Reads the <c>normalizer</c> of a <c>tokenizer.json</c>.</summary>
internal static class NormalizerJson
{
    public static Normalizer? Read(JsonField field)
    {
        if (!field.Exists || !field.IsObject())
            return null;
        string type = field["type"].RequiredText();
        field["type"].Problem($"unknown normalizer \"{type}\"");
        return null;
    }
}
