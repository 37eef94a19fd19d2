using System.Globalization;
using System.Numerics;

namespace Lorikeet.Text;

/// <summary>
/// Cuts a template into tokens, with the white space rules of chat templates: <c>trim_blocks</c> (a newline right after a block goes),
/// <c>lstrip_blocks</c> (so do blanks between the line's start and a block), <c>-</c> and <c>+</c> at the edges of tags, and no newline at the very end.
/// </summary>
internal sealed class TemplateLexer
{
    private static readonly string[] Operators =
    [
        "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".", ":", "|", ",", ";",
    ];

    private readonly string _source;
    private readonly string _name;
    private readonly List<TemplateToken> _tokens = [];
    private readonly Stack<char> _open = new();
    private int _at;
    private int _line = 1;
    private int _counted;
    private bool _lineStarts = true;

    private TemplateLexer(string source, string name)
    {
        source = source.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        _source = source.EndsWith('\n') ? source[..^1] : source;
        _name = name;
    }

    public static List<TemplateToken> Tokens(string source, string name)
    {
        TemplateLexer lexer = new(source, name);
        lexer.Run();
        return lexer._tokens;
    }

    private void Run()
    {
        while (_at < _source.Length)
        {
            int tag = NextTag(_at);
            if (tag < 0)
            {
                AddText(_source[_at..]);
                _at = _source.Length;
                break;
            }
            char kind = _source[tag + 1];
            int inside = tag + 2;
            char sign = inside < _source.Length && _source[inside] is '-' or '+' ? _source[inside] : '\0';
            string text = _source[_at..tag];
            if (sign == '-')
                text = StringOperations.StripEnd(text);
            else if (sign != '+' && kind != '{')
                text = StripLine(text);
            AddText(text);
            _at = tag;
            CountLines();
            _at = sign == '\0' ? inside : inside + 1;
            switch (kind)
            {
                case '#':
                    Comment();
                    break;
                case '%' when RawBegin() is int body && body >= 0:
                    Raw(body);
                    break;
                default:
                    Tag(kind == '{' ? TemplateTokenKind.VariableBegin : TemplateTokenKind.BlockBegin);
                    break;
            }
        }
        CountLines();
        Add(TemplateTokenKind.End, "");
    }

    private int NextTag(int from)
    {
        for (int at = _source.IndexOf('{', from); at >= 0 && at + 1 < _source.Length; at = _source.IndexOf('{', at + 1))
        {
            if (_source[at + 1] is '{' or '%' or '#')
                return at;
        }
        return -1;
    }

    // lstrip_blocks: blanks between the start of the line and the tag
    private string StripLine(string text)
    {
        int line = text.LastIndexOf('\n') + 1;
        if (line == 0 && !_lineStarts)
            return text;
        for (int i = line; i < text.Length; i++)
        {
            if (!CodePoints.IsSpace(text[i]))
                return text;
        }
        return text[..line];
    }

    private void Comment()
    {
        int end = _source.IndexOf("#}", _at, StringComparison.Ordinal);
        if (end < 0)
            throw Error("Missing end of comment tag");
        char sign = end > _at ? _source[end - 1] : '\0';
        _at = end + 2;
        Close(sign is '-' or '+' ? sign : '\0', isBlock: true);
    }

    // After a tag: white space, or one newline, goes with it.
    private void Close(char sign, bool isBlock)
    {
        if (sign == '-')
        {
            while (_at < _source.Length && CodePoints.IsSpace(_source[_at]))
                _at++;
        }
        else if (isBlock && sign != '+' && _at < _source.Length && _source[_at] == '\n')
        {
            _at++;
        }
        _lineStarts = _source[_at - 1] == '\n';
    }

    // Where the text of a raw block begins, or -1 if this is another block.
    private int RawBegin()
    {
        int at = SkipSpace(_at);
        if (!StartsWith(at, "raw"))
            return -1;
        at = SkipSpace(at + 3);
        if (StartsWith(at, "-%}"))
            return SkipSpace(at + 3);
        return StartsWith(at, "%}") ? at + 2 : -1;
    }

    private void Raw(int body)
    {
        _lineStarts = _source[body - 1] == '\n';
        for (int tag = _source.IndexOf("{%", body, StringComparison.Ordinal); tag >= 0; tag = _source.IndexOf("{%", tag + 1, StringComparison.Ordinal))
        {
            int at = tag + 2;
            char sign = at < _source.Length && _source[at] is '-' or '+' ? _source[at++] : '\0';
            at = SkipSpace(at);
            if (!StartsWith(at, "endraw"))
                continue;
            at = SkipSpace(at + 6);
            char close = at < _source.Length && _source[at] is '-' or '+' ? _source[at++] : '\0';
            if (!StartsWith(at, "%}"))
                continue;
            string text = _source[body..tag];
            AddText(sign == '-' ? StringOperations.StripEnd(text) : sign == '+' ? text : StripLine(text));
            _at = at + 2;
            Close(close, isBlock: true);
            CountLines();
            return;
        }
        throw Error("Missing end of raw directive");
    }

    private void Tag(TemplateTokenKind begin)
    {
        bool isBlock = begin == TemplateTokenKind.BlockBegin;
        string end = isBlock ? "%}" : "}}";
        Add(begin, "");
        _open.Clear();
        while (true)
        {
            _at = SkipSpace(_at);
            CountLines();
            if (_at >= _source.Length)
            {
                Add(TemplateTokenKind.End, "");
                return;
            }
            char sign = _source[_at] is '-' || (isBlock && _source[_at] is '+') ? _source[_at] : '\0';
            if (_open.Count == 0 && StartsWith(sign == '\0' ? _at : _at + 1, end))
            {
                Add(isBlock ? TemplateTokenKind.BlockEnd : TemplateTokenKind.VariableEnd, "");
                _at += sign == '\0' ? 2 : 3;
                Close(sign, isBlock);
                CountLines();
                return;
            }
            Token();
        }
    }

    private void Token()
    {
        char c = _source[_at];
        if (char.IsAsciiDigit(c))
            Number();
        else if (c == '_' || char.IsLetterOrDigit(c))
            Name();
        else if (c is '\'' or '"')
            Quoted(c);
        else
            Operator();
    }

    private void Number()
    {
        int start = _at;
        bool afterDot = start > 0 && _source[start - 1] == '.';
        int whole = Digits(start);
        int end = whole;
        if (!afterDot)
        {
            if (end < _source.Length - 1 && _source[end] == '.' && char.IsAsciiDigit(_source[end + 1]))
                end = Digits(end + 1);
            if (end < _source.Length && _source[end] is 'e' or 'E')
            {
                int exponent = end + 1;
                if (exponent < _source.Length && _source[exponent] is '+' or '-')
                    exponent++;
                if (exponent < _source.Length && char.IsAsciiDigit(_source[exponent]))
                    end = Digits(exponent);
            }
        }
        if (end > whole)
        {
            string text = _source[start..end].Replace("_", "", StringComparison.Ordinal);
            _tokens.Add(new TemplateToken(TemplateTokenKind.Float, _source[start..end], _line, double.Parse(text, CultureInfo.InvariantCulture)));
            _at = end;
            return;
        }
        int radix = whole == start + 1 && _source[start] == '0' && whole < _source.Length
            ? char.ToLowerInvariant(_source[whole]) switch { 'x' => 16, 'o' => 8, 'b' => 2, _ => 10 }
            : 10;
        if (radix != 10)
            end = Prefixed(whole + 1, radix);
        if (radix == 10 || end == whole + 1)
        {
            radix = 10;
            end = whole;
            if (_source[start] == '0')
                end = Zeros(start, whole); // 007 is a zero and then another number, which no grammar allows
        }
        BigInteger value = TextFilters.ParseInteger(_source[start..end], radix == 10 ? 10 : 0) ?? throw Error($"invalid number '{_source[start..end]}'");
        _tokens.Add(new TemplateToken(TemplateTokenKind.Integer, _source[start..end], _line, Boxed.Int(value)));
        _at = end;
    }

    private int Digits(int at)
    {
        while (at < _source.Length && (char.IsAsciiDigit(_source[at]) || (_source[at] == '_' && at + 1 < _source.Length && char.IsAsciiDigit(_source[at + 1]))))
            at++;
        return at;
    }

    private int Zeros(int at, int end)
    {
        while (at < end && _source[at] is '0' or '_')
            at++;
        return _source[at - 1] == '_' ? at - 1 : at;
    }

    private int Prefixed(int at, int radix)
    {
        while (at < _source.Length)
        {
            char c = _source[at] == '_' && at + 1 < _source.Length ? _source[at + 1] : _source[at];
            int digit = char.IsAsciiHexDigit(c) ? Convert.ToInt32(c.ToString(), 16) : radix;
            if (digit >= radix)
                break;
            at += _source[at] == '_' ? 2 : 1;
        }
        return at;
    }

    private void Name()
    {
        int start = _at;
        while (_at < _source.Length && (_source[_at] == '_' || char.IsLetterOrDigit(_source[_at])))
            _at++;
        Add(TemplateTokenKind.Name, _source[start.._at]);
    }

    private void Quoted(char quote)
    {
        int start = _at + 1, end = start;
        while (end < _source.Length && _source[end] != quote)
            end += _source[end] == '\\' ? 2 : 1;
        if (end >= _source.Length)
            throw Error($"unexpected char {PythonText.Repr(quote.ToString())} at {_at}: the string does not end");
        string text = StringLiteral.Unescape(_source[start..end]) ?? throw Error("a string has an escape sequence that cannot be read");
        Add(TemplateTokenKind.String, text);
        _at = end + 1;
    }

    private void Operator()
    {
        string? symbol = Array.Find(Operators, s => StartsWith(_at, s));
        if (symbol is null)
            throw Error($"unexpected char {PythonText.Repr(_source[_at].ToString())} at {_at}");
        switch (symbol)
        {
            case "(" or "[" or "{":
                _open.Push(symbol[0] == '(' ? ')' : symbol[0] == '[' ? ']' : '}');
                break;
            case ")" or "]" or "}":
                if (!_open.TryPop(out char expected))
                    throw Error($"unexpected '{symbol}'");
                if (expected != symbol[0])
                    throw Error($"unexpected '{symbol}', expected '{expected}'");
                break;
        }
        Add(TemplateTokenKind.Operator, symbol);
        _at += symbol.Length;
    }

    private void AddText(string text)
    {
        if (text.Length > 0)
            Add(TemplateTokenKind.Text, text);
    }

    private void Add(TemplateTokenKind kind, string text) => _tokens.Add(new TemplateToken(kind, text, _line));

    private void CountLines()
    {
        _line += _source.AsSpan(_counted, _at - _counted).Count('\n');
        _counted = _at;
    }

    private int SkipSpace(int at)
    {
        while (at < _source.Length && CodePoints.IsSpace(_source[at]))
            at++;
        return at;
    }

    private bool StartsWith(int at, string text) => at <= _source.Length && _source.AsSpan(at).StartsWith(text);

    private TemplateException Error(string reason) => new(TemplateErrorKind.Syntax, reason, _name, _line);
}
